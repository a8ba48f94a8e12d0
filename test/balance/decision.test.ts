import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Decision, DecisionWatch } from '../../gateway/balance/decision.ts';
import { priceOf } from '../../gateway/balance/policy.ts';
import { type BalancingName, balancings } from '../../gateway/balance/registry.ts';
import type { Replica } from '../../gateway/balance/replica.ts';
import { lightWork } from '../../gateway/pipeline/ask.ts';
import { Dispatching } from '../support/dispatching.ts';
import { newGate } from '../support/gates.ts';
import { newReplica, newReplicas } from '../support/replicas.ts';

const forever = Number.POSITIVE_INFINITY;

/** What speaks against one of two replicas, of which the other is picked. */
function obstacleTo(replica: Replica, notThese: readonly Replica[] = []): unknown {
  const other = newReplica({ id: 'other' });
  const dispatching = new Dispatching([replica, other]);
  const { lease } = dispatching.take(notThese, dispatching.wish(forever, true));
  const { picked, candidates } = lease?.decision ?? assert.fail('no decision');
  assert.equal(picked, 'other');
  assert.deepEqual(candidates[0], { replica: 'other', price: 1 });
  const [, last] = candidates;
  return last !== undefined && 'out' in last ? last.out : last;
}

describe('an explained decision', () => {
  it('says of every replica that could not be had why', () => {
    for (const standing of ['starting', 'unready', 'draining'] as const) {
      const replica = newReplica({ standing: standing === 'draining' ? 'ready' : standing });
      if (standing === 'draining') replica.state.drain();
      assert.equal(obstacleTo(replica), standing);
    }
    const resting = newReplica();
    resting.state.rest.begin(null);
    assert.equal(obstacleTo(resting), 'resting');
    assert.equal(obstacleTo(newReplica({ gate: newGate({ state: 'ejected' }) })), 'ejected');
    assert.equal(obstacleTo(newReplica({ gate: newGate({ state: 'probing', admits: false }) })), 'probing');
    assert.equal(obstacleTo(newReplica({ slots: 4, inFlight: 5 })), 'no-credit');
    const tried = newReplica();
    assert.equal(obstacleTo(tried, [tried]), 'tried-before');
  });

  it('of one whose gate lets nothing pass after all, says that it probes', () => {
    const gate = newGate({ state: 'probing', admits: true, enter: () => null });
    assert.equal(obstacleTo(newReplica({ gate, weight: 10 })), 'probing');
  });

  it('names the cheapest first, at the prices the pick was made by, and why not the others last', () => {
    const replicas = newReplicas({ inFlight: 3 }, { inFlight: 1 }, { standing: 'unready' }, { inFlight: 2, weight: 4 });
    const dispatching = new Dispatching(replicas);
    const prices = replicas.map((one) => priceOf(one, lightWork, 0));
    const { lease } = dispatching.take([], dispatching.wish(forever, true));
    assert.deepEqual(lease?.decision, {
      atMs: 0,
      backend: 'pool',
      policy: 'least-outstanding',
      unit: 'requests',
      preference: null,
      picked: 'd',
      waitedMs: 0,
      candidates: [
        { replica: 'd', price: prices[3] },
        { replica: 'b', price: prices[1] },
        { replica: 'a', price: prices[0] },
        { replica: 'c', out: 'unready' },
      ],
    });
  });

  it('says how long was waited', async () => {
    const [replica, ...rest] = newReplicas({ slots: 1 });
    const dispatching = new Dispatching([replica, ...rest]);
    const first = [dispatching.take(), dispatching.take()];
    const waiting = dispatching.take([], dispatching.wish(forever, true));
    await dispatching.pass(70);
    for (const { lease } of first) lease?.release('succeeded');
    await dispatching.pass();
    assert.equal(waiting.lease?.decision?.waitedMs, 70);
  });

  it('of a wish that gets nobody says what spoke against each', () => {
    const dispatching = new Dispatching(newReplicas({ standing: 'unready' }, { slots: 1, inFlight: 2 }));
    const decision = dispatching.dispatcher.explainRefusal(dispatching.wish(forever, true), 12);
    assert.deepEqual(
      [decision.picked, decision.waitedMs, decision.candidates],
      [
        null,
        12,
        [
          { replica: 'a', out: 'unready' },
          { replica: 'b', out: 'no-credit' },
        ],
      ],
    );
  });

  for (const name of Object.keys(balancings) as BalancingName[]) {
    it(`changes nothing of what is picked, and the picked one has a price: ${name}`, () => {
      const { signal } = balancings[name];
      const [asked, unasked] = [true, false].map((wantsExplanation) => {
        const specs = [{ weight: 2 }, { weight: 1 }, { weight: 3, slots: 2 }].map((one) => ({ ...one, signal }));
        const dispatching = new Dispatching(newReplicas({ signal }, ...specs), { policy: name, seed: 7 });
        return Array.from({ length: 20 }, () => {
          const { lease } = dispatching.take([], dispatching.wish(forever, wantsExplanation));
          return lease ?? assert.fail('no lease');
        });
      });
      const idsOf = (leases = asked): unknown => leases?.map(({ replica }) => replica.id);
      assert.deepEqual(idsOf(asked), idsOf(unasked));
      for (const { decision, replica } of asked ?? []) {
        const own = decision?.candidates.find((one) => one.replica === replica.id);
        assert.equal(decision?.picked, replica.id);
        assert.ok(own !== undefined && 'price' in own && own.price >= 0);
        assert.equal(decision?.unit, signal.unit);
      }
      for (const { decision } of unasked ?? []) assert.equal(decision, null);
    });
  }
});

describe('who watches decisions', () => {
  it('is told of those it wants, whoever asked, and of no others', () => {
    const told: Decision[] = [];
    let wants = false;
    const decisions: DecisionWatch = { wants: () => wants, take: (decision) => told.push(decision) };
    const dispatching = new Dispatching(newReplicas({}, {}), { decisions });
    const unwatched = dispatching.take();
    assert.equal(unwatched.lease?.decision, null);
    assert.notEqual(dispatching.take([], dispatching.wish(forever, true)).lease?.decision, null);
    assert.equal(told.length, 0);
    wants = true;
    const { lease } = dispatching.take();
    assert.deepEqual(told, [lease?.decision]);
  });
});
