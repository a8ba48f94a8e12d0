import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silence } from '../../gateway/balance/load-report.ts';
import type { Replica } from '../../gateway/balance/replica.ts';
import { ReplicaState } from '../../gateway/balance/replica-state.ts';
import { LoadBoard } from '../../gateway/kernel/load-board.ts';
import { newGate, newTime } from '../support/gates.ts';
import { hold, newReplica, tellLoad } from '../support/replicas.ts';

/** How often a replica tells that it has changed while something happens. */
function changesOf(replica: Replica, happen: () => void): number {
  let count = 0;
  replica.changed.subscribe(() => {
    count += 1;
  });
  happen();
  return count;
}

describe('the standing of a replica', () => {
  it('tells of a change, and not of another reason for the same', () => {
    const replica = newReplica();
    const count = changesOf(replica, () => {
      replica.state.setStanding('ready', 'another reason');
      replica.state.setStanding('unready', 'gone');
      replica.state.setStanding('unready', 'still gone');
      replica.state.setStanding('draining', 'told to');
    });
    assert.equal(count, 2);
    assert.equal(replica.standing, 'draining');
    assert.equal(replica.reason, 'told to');
  });

  it('is known, with its reason, to whoever is told of the change', () => {
    const replica = newReplica();
    const seen: string[] = [];
    replica.changed.subscribe((one) => seen.push(`${one.standing}: ${one.reason}`));
    replica.state.setStanding('unready', 'GET /ready: status 500');
    assert.deepEqual(seen, ['unready: GET /ready: status 500']);
  });
});

describe('the slots of a replica', () => {
  it('are as configured, whatever it reports', () => {
    const replica = newReplica({ slots: 4 });
    tellLoad(replica, { slots: 9, queued: 3 });
    assert.equal(replica.slots, 4);
    assert.equal(replica.report?.queued, 3, 'the report is kept all the same');
  });

  it('are as last reported where none are configured, and unknown before', () => {
    const replica = newReplica();
    assert.equal(replica.slots, null);
    assert.equal(replica.report, null);
    const count = changesOf(replica, () => {
      tellLoad(replica, { slots: 2 });
      tellLoad(replica, { slots: 2, queued: 7 });
      tellLoad(replica, { slots: 3 });
    });
    assert.equal(replica.slots, 3);
    assert.equal(count, 2, 'it tells when they change, not with every report');
  });

  it('are unknown again when a report no longer names them', () => {
    const replica = newReplica();
    tellLoad(replica, { slots: 1 });
    tellLoad(replica, { slots: null, queued: 1 });
    assert.equal(replica.slots, null);
  });
});

describe('the report of a replica', () => {
  it('is kept with the time at which it came, and how', async () => {
    const time = newTime();
    const state = new ReplicaState({ slot: new LoadBoard(1).takeSlot(), gate: newGate(), ...time });
    assert.deepEqual([state.report, state.reportedAtMs, state.reportSource], [null, null, null]);
    for (const source of ['reply', 'scrape', 'probe'] as const) {
      await time.clock.runUntil(time.clock.nowMs() + 100);
      state.takeReport({ ...silence, queued: 3 }, source);
      assert.deepEqual([state.report?.queued, state.reportedAtMs, state.reportSource], [3, time.clock.nowMs(), source]);
    }
  });

  it('that came another way and does not speak of slots says nothing against those that were told', () => {
    const { state } = newReplica();
    const slots = [null, 4, null, null, 6, null].map((told, at) => {
      const source = at % 2 === 0 ? 'scrape' : 'reply';
      state.takeReport({ ...silence, slots: told }, source);
      return state.reportedSlots;
    });
    assert.deepEqual(slots, [null, 4, 4, null, 6, 6]);
    state.takeReport(silence, 'scrape');
    assert.equal(state.reportedSlots, null);
  });
});

describe('the credits of a replica', () => {
  it('are one for each slot and a quarter more, rounded up', () => {
    const replica = newReplica({ slots: 5 });
    for (let n = 0; n < 7; n++) {
      assert.equal(replica.hasCredit, true);
      hold(replica);
    }
    assert.equal(replica.hasCredit, false);
  });

  it('never end where slots are unknown', () => {
    assert.equal(newReplica({ slots: null, inFlight: 500 }).hasCredit, true);
  });
});

it('a replica is called by its backend and its id', () => {
  assert.equal(newReplica({ id: 'gpu-a' }).fullName, 'pool/gpu-a');
});
