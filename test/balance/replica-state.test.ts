import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ReplicaState } from '../../gateway/balance/replica-state.ts';
import type { LoadSignal } from '../../gateway/balance/signal.ts';
import { outstanding } from '../../gateway/balance/signals/outstanding.ts';
import { TrafficGate } from '../../gateway/guard/traffic-gate.ts';
import { LoadBoard } from '../../gateway/kernel/load-board.ts';
import { defaultRules, newTime } from '../support/gates.ts';
import { newReplica, tellLoad } from '../support/replicas.ts';

describe('a drained replica', () => {
  it('stands so, and says why, whatever its health checks find, until it is put back', () => {
    const { state } = newReplica();
    state.drain();
    state.setStanding('unready', 'GET /ready: status 500');
    assert.deepEqual([state.standing, state.reason], ['draining', 'drained by an operator']);
    state.undrain();
    assert.deepEqual([state.standing, state.reason], ['unready', 'GET /ready: status 500']);
  });

  it('tells of the change, and neither of being drained again nor of what its checks find meanwhile', () => {
    const { state } = newReplica();
    const told: string[] = [];
    state.changed.subscribe(({ standing }) => told.push(standing));
    state.drain();
    state.drain();
    state.setStanding('unready', 'gone');
    state.setStanding('ready', 'back');
    state.undrain();
    state.undrain();
    assert.deepEqual(told, ['draining', 'ready']);
  });
});

describe('replicas of one state', () => {
  it('share what is known, each with the slots of its own configuration', () => {
    const one = newReplica({ slots: 1 });
    const other = newReplica({ id: 'b', weight: 2, state: one.state });
    one.slot.addInFlight(1);
    tellLoad(one, { slots: 8 });
    assert.deepEqual([one.slot.inFlight, other.slot.inFlight], [1, 1]);
    assert.deepEqual([one.slots, other.slots], [1, 8]);
    assert.equal(other.standing, one.standing);
  });

  it('have one meter for each signal, which is there again when the signal is', () => {
    const other: LoadSignal = { ...outstanding, name: 'other' };
    const first = newReplica();
    const { state } = first;
    const second = newReplica({ state, signal: other });
    const third = newReplica({ state });
    assert.notEqual(second.meter, first.meter);
    assert.equal(third.meter, first.meter);
  });
});

describe('a replica that starts slowly', () => {
  /** One of a real gate, on a clock of its own. */
  function starting() {
    const time = newTime();
    const gate = new TrafficGate({ rules: defaultRules, ...time });
    const state = new ReplicaState({ slot: new LoadBoard(1).takeSlot(), gate, ...time });
    state.slowStartMs = 10_000;
    const replica = newReplica({ state, weight: 4 });
    return { ...time, gate, state, replica };
  }

  it('carries a tenth of its weight when it has joined, and all of it after the time', async () => {
    const { replica, clock } = starting();
    assert.equal(replica.weight, 0.4);
    await clock.runUntil(5000);
    assert.equal(replica.weight, 2);
    await clock.runUntil(10_000);
    assert.equal(replica.weight, 4);
  });

  it('begins again when it is ready again, and not when it is said once more that it is', async () => {
    const { replica, state, clock } = starting();
    await clock.runUntil(20_000);
    state.setStanding('ready', 'still');
    assert.equal(replica.weight, 4);
    state.setStanding('unready', 'gone');
    state.setStanding('ready', 'back');
    assert.equal(replica.weight, 0.4);
  });

  it('begins again when its gate lets everything pass again, by a probe or by an operator', async () => {
    for (const how of ['probe', 'operator'] as const) {
      const { replica, gate, clock } = starting();
      for (let n = 0; n < 5; n++) gate.enter()?.settle('unreachable');
      assert.equal(gate.state, 'ejected');
      await clock.runUntil(20_000);
      assert.deepEqual([gate.state, replica.weight], ['probing', 4], 'the probe is no slow start');
      if (how === 'probe') gate.enter()?.settle('success');
      else gate.readmit('readmitted by an operator');
      assert.equal(replica.weight, 0.4);
    }
  });

  it('goes on where it is when it is readmitted though it was never out', async () => {
    const { replica, gate, clock } = starting();
    await clock.runUntil(20_000);
    gate.readmit('readmitted by an operator');
    assert.equal(replica.weight, 4);
  });
});

it('a replica is available when it is ready, its gate lets everything pass and it does not rest', () => {
  const { state } = newReplica();
  const found = [state.isAvailable];
  state.rest.begin(1000);
  found.push(state.isAvailable);
  state.rest.end();
  found.push(state.isAvailable);
  state.drain();
  found.push(state.isAvailable);
  assert.deepEqual(found, [true, false, true, false]);
});

it('the end of a rest is told, so that who waits is served', async () => {
  const time = newTime();
  const gate = new TrafficGate({ rules: defaultRules, ...time });
  const state = new ReplicaState({ slot: new LoadBoard(1).takeSlot(), gate, ...time });
  let told = 0;
  state.changed.subscribe(() => {
    told += 1;
  });
  state.rest.begin(1000);
  await time.clock.runAll();
  assert.equal(told, 1);
});
