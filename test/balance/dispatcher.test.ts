import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { balancings } from '../../gateway/balance/registry.ts';
import { Fleet } from '../../gateway/guard/fleet.ts';
import { TrafficGate } from '../../gateway/guard/traffic-gate.ts';
import { GatewayError } from '../../gateway/kernel/errors.ts';
import { Dispatching, type Taken } from '../support/dispatching.ts';
import { defaultRules, newGate, newTime } from '../support/gates.ts';
import { hold, newReplica, newReplicas, tellLoad } from '../support/replicas.ts';

const names = Object.keys(balancings) as (keyof typeof balancings)[];

/** Where each wish went, `-` for those that wait, the code for those refused. */
function fates(taken: readonly Taken[]): string[] {
  return taken.map(({ lease, error }) => lease?.replica.id ?? error?.code ?? '-');
}

describe('credits', () => {
  for (const policy of names) {
    it(`are 1.25 times the slots, rounded up, under ${policy}`, async () => {
      for (const [slots, credits] of [
        [1, 2],
        [2, 3],
        [3, 4],
        [4, 5],
        [8, 10],
        [9, 12],
      ] as const) {
        const replicas = newReplicas({ slots }, { slots });
        const play = new Dispatching(replicas, { policy });
        const taken = Array.from({ length: 2 * credits + 5 }, () => play.take());
        await play.pass();
        assert.deepEqual(
          replicas.map(({ slot }) => slot.inFlight),
          [credits, credits],
          `${slots} slots`,
        );
        assert.equal(play.dispatcher.waitingCount, 5);
        assert.ok(taken.slice(0, -5).every(({ lease }) => lease !== null));
      }
    });

    it(`do not bind where slots are unknown, under ${policy}`, () => {
      const play = new Dispatching(newReplicas({ slots: null }, { slots: 1 }), { policy });
      for (let n = 0; n < 200; n++) assert.notEqual(play.take().lease, null);
      assert.equal(play.dispatcher.waitingCount, 0);
    });
  }

  it('grow with a report that tells of more slots, which wakes the line', async () => {
    const replica = newReplica();
    const play = new Dispatching([replica]);
    tellLoad(replica, { slots: 1 });
    const taken = Array.from({ length: 7 }, () => play.take());
    await play.pass();
    assert.deepEqual(fates(taken), ['a', 'a', '-', '-', '-', '-', '-']);
    tellLoad(replica, { slots: 3 });
    await play.pass();
    assert.deepEqual(fates(taken), ['a', 'a', 'a', 'a', '-', '-', '-']);
  });

  it('shrink with a report, and what is under way goes on', async () => {
    const replica = newReplica();
    const play = new Dispatching([replica]);
    const taken = Array.from({ length: 5 }, () => play.take());
    tellLoad(replica, { slots: 1 });
    const late = play.take();
    for (const { lease } of taken.slice(0, 3)) lease?.release('succeeded');
    await play.pass();
    assert.deepEqual(fates([late]), ['-'], 'two of two credits are still out');
    taken[3]?.lease?.release('succeeded');
    await play.pass();
    assert.deepEqual(fates([late]), ['a']);
  });
});

describe('the line', () => {
  it('is served first come, first served', async () => {
    const play = new Dispatching([newReplica({ slots: 1 })]);
    const taken = Array.from({ length: 5 }, () => play.take());
    taken[1]?.lease?.release('succeeded');
    await play.pass();
    assert.deepEqual(fates(taken), ['a', 'a', 'a', '-', '-']);
    taken[0]?.lease?.release('failed');
    await play.pass();
    assert.deepEqual(fates(taken), ['a', 'a', 'a', 'a', '-']);
  });

  it('lets nobody overtake who comes when a credit has just become free', async () => {
    const play = new Dispatching([newReplica({ slots: 1 })]);
    const taken = [play.take(), play.take(), play.take()];
    taken[0]?.lease?.release('succeeded');
    const late = play.take();
    await play.pass();
    assert.deepEqual(fates([...taken, late]), ['a', 'a', 'a', '-']);
  });

  it('has a place at its head for who comes back after a failure, also when it is full', async () => {
    const [a, b = a] = newReplicas({ slots: 1 }, { slots: 1 });
    const play = new Dispatching([a, b], { maxLength: 1 });
    const leases = [play.take(), play.take(), play.take(), play.take()];
    const newcomer = play.take();
    const another = play.take();
    const comesBack = play.take([a]);
    await play.pass();
    assert.deepEqual(fates([newcomer, another, comesBack]), ['-', 'queue_full', '-']);
    leases.find(({ lease }) => lease?.replica === b)?.lease?.release('succeeded');
    await play.pass();
    assert.deepEqual(fates([newcomer, comesBack]), ['-', 'b']);
  });

  it('does not stop at somebody who may not have what is free', async () => {
    const [a, b = a] = newReplicas({ slots: 1 }, { slots: 1 });
    const play = new Dispatching([a, b]);
    const leases = [play.take(), play.take(), play.take(), play.take()];
    const newcomer = play.take();
    const comesBack = play.take([a]);
    leases.find(({ lease }) => lease?.replica === a)?.lease?.release('succeeded');
    await play.pass();
    assert.deepEqual(fates([newcomer, comesBack]), ['a', '-']);
  });

  it('lets who comes back have at once what it may have, past those who may not', async () => {
    const [a, b = a] = newReplicas({ slots: 1 }, { slots: 1 });
    const play = new Dispatching([a, b]);
    hold(a);
    hold(a);
    const waiting = play.take([b]);
    assert.deepEqual(fates([waiting, play.take([a])]), ['-', 'b']);
    const newcomer = play.take();
    await play.pass();
    assert.deepEqual(fates([waiting, newcomer]), ['-', 'b'], 'nor does a newcomer wait behind one it could not serve');
  });

  it('is bounded, refuses beyond its bound at once, and says when to come again', () => {
    const play = new Dispatching([newReplica({ slots: 1 })], { maxLength: 2 });
    const taken = Array.from({ length: 5 }, () => play.take());
    assert.deepEqual(fates(taken), ['a', 'a', '-', '-', 'queue_full']);
    assert.equal(taken[4]?.error?.retryAfterMs, 1000);
    assert.equal(play.dispatcher.refusal()?.code, 'queue_full');
    assert.equal(play.dispatcher.refusal([newReplica()]), null, 'a place at the head is always to be had');
  });

  it('of length 0 makes nobody wait, and refuses nobody for whom a replica is free', () => {
    const play = new Dispatching([newReplica({ slots: 1 })], { maxLength: 0 });
    assert.equal(play.dispatcher.refusal(), null);
    assert.deepEqual(fates([play.take(), play.take(), play.take()]), ['a', 'a', 'queue_full']);
    assert.equal(play.dispatcher.refusal()?.code, 'queue_full');
  });

  it('gives up after the wait, at most one tick late', async () => {
    const play = new Dispatching([newReplica({ slots: 1 })], { waitMs: 300 });
    const taken = [play.take(), play.take(), play.take()];
    await play.pass(299);
    assert.deepEqual(fates(taken), ['a', 'a', '-']);
    await play.pass(11);
    assert.deepEqual(fates(taken), ['a', 'a', 'queue_timeout']);
    assert.equal(play.dispatcher.waitingCount, 0);
    assert.equal(play.wheel.armedCount, 0);
  });

  it('is left when nobody waits any more, whatever the reason', async () => {
    const play = new Dispatching([newReplica({ slots: 1 })]);
    const taken = [play.take(), play.take(), play.take([], play.wish(100)), play.take()];
    taken[3]?.wish.cancellation.cancel(new GatewayError('client_left', 'left'));
    await play.pass();
    assert.deepEqual(fates(taken), ['a', 'a', '-', 'client_left']);
    await play.pass(110);
    assert.deepEqual(fates(taken), ['a', 'a', 'deadline_exceeded', 'client_left']);
    assert.equal(play.dispatcher.waitingCount, 0);
    assert.equal(play.wheel.armedCount, 0);
  });

  it('hands nothing to somebody whose deadline has passed and is about to be told', async () => {
    const play = new Dispatching([newReplica({ slots: 1 })]);
    const taken = [play.take(), play.take(), play.take([], play.wish(105)), play.take()];
    await play.pass(107);
    taken[0]?.lease?.release('succeeded');
    await play.pass();
    assert.deepEqual(fates(taken), ['a', 'a', '-', 'a']);
    await play.pass(5);
    assert.deepEqual(fates(taken), ['a', 'a', 'deadline_exceeded', 'a']);
  });

  it('takes nobody in who has been cancelled already', () => {
    const play = new Dispatching([newReplica()]);
    const wish = play.wish();
    wish.cancellation.cancel(new GatewayError('client_left', 'left'));
    assert.deepEqual(fates([play.take([], wish)]), ['client_left']);
  });
});

describe('a wish that waiting cannot help', () => {
  it('is refused at once when no replica is in prospect', () => {
    for (const standing of ['unready', 'draining'] as const) {
      const play = new Dispatching(newReplicas({ standing }, { standing }));
      const taken = play.take();
      assert.deepEqual(fates([taken]), ['none_eligible']);
      assert.equal(taken.error?.retryAfterMs, 1000);
      assert.equal(play.dispatcher.refusal()?.code, 'none_eligible');
    }
    assert.deepEqual(fates([new Dispatching([]).take()]), ['none_eligible']);
  });

  it('is refused when every replica in prospect is ruled out for it', () => {
    const [a, b = a] = newReplicas({}, { standing: 'unready' });
    const play = new Dispatching([a, b]);
    assert.deepEqual(fates([play.take([a])]), ['none_eligible']);
  });

  it('waits while a replica is starting, and gets it', async () => {
    const replica = newReplica({ standing: 'starting' });
    const play = new Dispatching([replica]);
    const taken = play.take();
    assert.deepEqual(fates([taken]), ['-']);
    assert.equal(play.dispatcher.refusal(), null);
    replica.state.setStanding('ready', 'passed its health check');
    await play.pass();
    assert.deepEqual(fates([taken]), ['a']);
  });

  it('is refused when the last replica in prospect is lost while it waits', async () => {
    const replica = newReplica({ slots: 1 });
    const play = new Dispatching([replica]);
    const taken = Array.from({ length: 4 }, () => play.take());
    replica.state.setStanding('unready', 'gone');
    await play.pass();
    assert.deepEqual(fates(taken), ['a', 'a', 'none_eligible', 'none_eligible']);
    assert.equal(play.dispatcher.waitingCount, 0);
  });
});

describe('taking without waiting', () => {
  it('goes past the line, and is null where nothing is free', () => {
    const play = new Dispatching([newReplica({ slots: 1 })]);
    const taken = [play.take(), play.take(), play.take()];
    assert.equal(play.dispatcher.tryTake(play.wish()), null);
    assert.deepEqual(fates(taken), ['a', 'a', '-']);
  });

  it('leaves nobody outside a line of length 0 when a gate lets nothing pass', () => {
    const shut = newGate({ state: 'probing', enter: () => null });
    const play = new Dispatching([newReplica({ gate: shut })], { maxLength: 0 });
    assert.deepEqual(fates([play.take()]), ['queue_full']);
  });

  it('asks the gates in turn, and leaves a replica out whose gate lets nothing pass', () => {
    const shut = newGate({ state: 'probing', enter: () => null });
    const play = new Dispatching(newReplicas({ gate: shut }, {}, { gate: shut }));
    for (let n = 0; n < 20; n++) assert.equal(play.dispatcher.tryTake(play.wish())?.replica.id, 'b');
    assert.equal(new Dispatching([newReplica({ gate: shut })]).dispatcher.tryTake(play.wish()), null);
  });

  it('settles the permit of the gate with what the lease says of the replica', () => {
    const outcomes: string[] = [];
    const gate = newGate({ enter: () => ({ settle: (evidence) => outcomes.push(evidence) }) });
    const play = new Dispatching([newReplica({ gate })]);
    play.take().lease?.release('refused');
    play.take().lease?.release('failed', 'unreachable');
    assert.deepEqual(outcomes, ['none', 'unreachable']);
  });
});

it('a lease released twice is told, and serves nobody in the line', async () => {
  const replica = newReplica({ slots: 1 });
  const play = new Dispatching([replica]);
  const taken = [play.take(), play.take(), play.take(), play.take()];
  taken[0]?.lease?.release('succeeded');
  taken[0]?.lease?.release('succeeded');
  await play.pass();
  assert.deepEqual(fates(taken), ['a', 'a', 'a', '-']);
  assert.deepEqual(play.releasedTwice, [taken[0]?.lease]);
  assert.equal(replica.slot.inFlight, 2);
});

it('requests that others send to a replica count against its credits', async () => {
  const replica = newReplica({ slots: 1 });
  const play = new Dispatching([replica]);
  hold(replica);
  hold(replica);
  assert.deepEqual(fates([play.take()]), ['-']);
});

describe('a line over a reload', () => {
  it('is served in order, everybody from the replicas of the configuration it came to', async () => {
    const [shared, removed] = newReplicas({ slots: 1, inFlight: 2 }, { slots: 1, inFlight: 2 });
    const added = newReplica({ id: 'c', standing: 'starting' });
    const before = new Dispatching([shared, removed ?? assert.fail()]);
    const staying = newReplica({ id: 'a2', state: shared.state, slots: 1 });
    const after = new Dispatching([staying, added], { after: before });
    const [first, second] = [before.take(), after.take()];
    const third = before.take();
    assert.equal(after.dispatcher.waitingCount, 3);
    added.state.setStanding('ready', 'passed its health check');
    await before.pass();
    assert.deepEqual(fates([first, second, third]), ['-', 'c', '-'], 'who came before may not have the new one');
    second.lease?.release('succeeded');
    const fourth = after.take();
    assert.equal(fourth.lease?.replica, added, 'those who may not have it hold nobody up');
  });

  it('goes on when a lease of either configuration ends', async () => {
    const replica = newReplica({ slots: 1 });
    const before = new Dispatching([replica]);
    const after = new Dispatching([newReplica({ id: 'a2', state: replica.state, slots: 1 })], { after: before });
    const held = [before.take(), after.take()];
    const waiting = [after.take(), before.take()];
    held[0]?.lease?.release('succeeded');
    held[1]?.lease?.release('succeeded');
    await before.pass();
    assert.deepEqual(fates(waiting), ['a2', 'a']);
  });

  it('has room for newcomers by the bound of their own configuration', async () => {
    const replica = newReplica({ slots: 1, inFlight: 2 });
    const before = new Dispatching([replica], { maxLength: 2 });
    const after = new Dispatching([newReplica({ state: replica.state, slots: 1 })], { after: before, maxLength: 1 });
    const taken = [before.take(), before.take(), after.take(), before.take()];
    await before.pass();
    assert.deepEqual(fates(taken), ['-', '-', 'queue_full', 'queue_full']);
  });

  it('that is full of those from before turns nobody away whom a new replica can serve', () => {
    const before = new Dispatching([newReplica({ slots: 1, inFlight: 2 })], { maxLength: 1 });
    before.take();
    const after = new Dispatching([newReplica({ id: 'b' })], { after: before, maxLength: 1 });
    assert.equal(after.dispatcher.refusal(), null);
    assert.deepEqual(fates([after.take()]), ['b']);
  });

  it('is no longer served by a dispatcher that has been closed', async () => {
    const replica = newReplica({ slots: 1, inFlight: 2 });
    const play = new Dispatching([replica]);
    const waiting = play.take();
    play.dispatcher.close();
    replica.slot.addInFlight(-1);
    replica.changed.publish(replica.state);
    await play.pass();
    assert.deepEqual(fates([waiting]), ['-']);
  });
});

describe('a probing gate', () => {
  /** A full replica, one whose ejection is to end, and many who wait. */
  async function waitedFor(count: number) {
    const time = newTime();
    const fleet = new Fleet();
    const gates = [0, 1].map(() => new TrafficGate({ rules: defaultRules, ...time }));
    for (const gate of gates) gate.obey(defaultRules, fleet);
    const gateAt = (at: number): TrafficGate => gates[at] ?? assert.fail();
    const [full, returning = full] = newReplicas({ gate: gateAt(0), slots: 1 }, { gate: gateAt(1), slots: 4 });
    const play = new Dispatching([full, returning], { ...time, waitMs: 60_000 });
    for (let n = 0; n < 5; n++) returning.gate.enter()?.settle('failure');
    hold(full);
    hold(full);
    const taken = Array.from({ length: count }, () => play.take());
    await play.pass();
    assert.ok(taken.every(({ lease, error }) => lease === null && error === null));
    const served = (): number => taken.filter(({ lease }) => lease !== null).length;
    await play.pass((returning.gate.story.untilMs ?? 0) + 10);
    return { play, returning, taken, served };
  }

  it('gets exactly one of many who wait, and the others when that has succeeded', async () => {
    const { play, returning, taken, served } = await waitedFor(500);
    assert.deepEqual([served(), returning.slot.inFlight], [1, 1]);
    await play.pass(5000);
    assert.equal(served(), 1, 'until it has answered');
    taken[0]?.lease?.release('succeeded');
    await play.pass();
    assert.deepEqual([returning.gate.state, returning.slot.inFlight, served()], ['passing', 5, 6]);
  });

  it('gets the next one when nothing came of the first', async () => {
    const { play, taken, served } = await waitedFor(20);
    for (let n = 0; n < 5; n++) {
      assert.equal(served(), n + 1);
      taken[n]?.lease?.release('abandoned');
      await play.pass();
    }
  });

  it('gets none of them when the first has failed', async () => {
    const { play, returning, taken, served } = await waitedFor(20);
    taken[0]?.lease?.release('failed');
    await play.pass();
    assert.deepEqual([returning.gate.state, served()], ['ejected', 1]);
  });
});

describe('a refusal because nobody is eligible', () => {
  it('says when the first of those that rest or are ejected comes back', () => {
    const replicas = newReplicas({}, { gate: newGate({ state: 'ejected' }) });
    replicas[0].state.rest.begin(4000);
    const play = new Dispatching(replicas);
    const { error } = play.take();
    assert.equal(error?.code, 'none_eligible');
    assert.equal(error?.retryAfterMs, 1000, 'as soon as a header can tell');
    assert.ok((replicas[0].state.rest.untilMs ?? 0) < 1000);
  });
});
