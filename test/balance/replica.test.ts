import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LoadReport } from '../../gateway/balance/load-report.ts';
import type { Replica } from '../../gateway/balance/replica.ts';
import { hold, newReplica } from '../support/replicas.ts';

function report(slots: number | null, queued: number | null = null): LoadReport {
  return { slots, inFlight: null, queued, serviceSeconds: null };
}

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
    replica.state.takeReport(report(9, 3));
    assert.equal(replica.slots, 4);
    assert.equal(replica.report?.queued, 3, 'the report is kept all the same');
  });

  it('are as last reported where none are configured, and unknown before', () => {
    const replica = newReplica();
    assert.equal(replica.slots, null);
    assert.equal(replica.report, null);
    const count = changesOf(replica, () => {
      replica.state.takeReport(report(2));
      replica.state.takeReport(report(2, 7));
      replica.state.takeReport(report(3));
    });
    assert.equal(replica.slots, 3);
    assert.equal(count, 2, 'it tells when they change, not with every report');
  });

  it('are unknown again when a report no longer names them', () => {
    const replica = newReplica();
    replica.state.takeReport(report(1));
    replica.state.takeReport(report(null, 1));
    assert.equal(replica.slots, null);
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
