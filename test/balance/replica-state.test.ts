import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LoadSignal } from '../../gateway/balance/signal.ts';
import { outstanding } from '../../gateway/balance/signals/outstanding.ts';
import { newReplica } from '../support/replicas.ts';

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
    one.state.takeReport({ slots: 8, inFlight: null, queued: null, serviceSeconds: null });
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
