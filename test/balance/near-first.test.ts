import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nearFirst } from '../../gateway/balance/near-first.ts';
import { cheapest } from '../../gateway/balance/policies/cheapest.ts';
import type { Replica } from '../../gateway/balance/replica.ts';
import { expectedCompletion } from '../../gateway/balance/signals/expected-completion.ts';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { lightWork } from '../../gateway/pipeline/ask.ts';
import { newTime } from '../support/gates.ts';
import { hold, newReplicas } from '../support/replicas.ts';

const policy = nearFirst(cheapest(seededRng(1)), 'edge');
const pick = (replicas: readonly [Replica, ...Replica[]]): Replica => policy.pick(replicas, lightWork, 0);

describe('near first', () => {
  it('takes a near replica that has nothing to do, and counts those of no zone among the near', () => {
    const replicas = newReplicas({ zone: 'far' }, { zone: 'edge', inFlight: 1 }, {}, { zone: 'far' });
    assert.equal(pick(replicas), replicas[2]);
    assert.equal(policy.preference, 'zone');
  });

  it('lets the policy choose among the near while the cheapest costs at most twice as much as the cheapest of the far', () => {
    const replicas = newReplicas({ zone: 'far' }, { zone: 'edge', inFlight: 1 }, { zone: 'edge', inFlight: 2 });
    assert.equal(pick(replicas), replicas[1]);
    hold(replicas[1] as Replica);
    assert.equal(pick(replicas), replicas[0]);
    assert.equal(policy.preference, null);
    hold(replicas[0]);
    assert.notEqual(pick(replicas), replicas[0]);
  });

  it('keeps everything near while there is a free slot, and shares what is more, where prices are expected completions', async () => {
    const time = newTime();
    const zones = ['edge', 'edge', 'far', 'far'] as const;
    const specs = zones.map((zone) => ({ zone, slots: 4, signal: expectedCompletion, time }));
    const [first, ...others] = specs;
    assert.ok(first !== undefined);
    const replicas = newReplicas(first, ...others);
    for (const replica of replicas) {
      const lease = hold(replica);
      await time.clock.runUntil(time.clock.nowMs() + 100);
      lease.firstByte();
      lease.release('succeeded');
    }
    const chosen = Array.from({ length: 16 }, () => {
      const replica = policy.pick(replicas, lightWork, time.clock.nowMs());
      hold(replica);
      return replica.zone;
    });
    assert.deepEqual(
      chosen.slice(0, 8),
      Array.from({ length: 8 }, () => 'edge'),
    );
    const far = chosen.slice(8).filter((zone) => zone === 'far').length;
    assert.ok(far > 2, `${far} of the 8 beyond`);
  });

  it('waits for nobody while a near one has nothing to do, and for no far one', () => {
    const asked: (readonly Replica[])[] = [];
    const patient = nearFirst(
      {
        ...cheapest(seededRng(1)),
        waitFor(full) {
          asked.push(full);
          return null;
        },
      },
      'edge',
    );
    const [idle, far, busy] = newReplicas({ zone: 'edge' }, { zone: 'far' }, { zone: 'edge', inFlight: 1 });
    assert.ok(far !== undefined && busy !== undefined);
    const at = { nowMs: 0, waitedMs: 0 };
    patient.waitFor?.([far], [idle, busy], lightWork, at);
    assert.deepEqual(asked, []);
    patient.waitFor?.([far, idle], [busy], lightWork, at);
    assert.deepEqual(asked, [[idle]]);
  });

  it('goes by the policy alone where all are near, or all are far', () => {
    const far = newReplicas({ zone: 'far', inFlight: 1 }, { zone: 'farther' });
    assert.equal(pick(far), far[1]);
    const near = newReplicas({ zone: 'edge', inFlight: 1 }, {});
    assert.equal(pick(near), near[1]);
    assert.equal(policy.preference, null);
  });
});
