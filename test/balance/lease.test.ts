import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Lease } from '../../gateway/balance/lease.ts';
import type { Outcome } from '../../gateway/balance/signal.ts';
import type { Evidence } from '../../gateway/guard/gate.ts';
import { newReplica } from '../support/replicas.ts';

/** A lease, and what its ticket, permit and watcher were told, in order. */
function newLease(): { lease: Lease; inFlight: () => number; told: string[] } {
  const told: string[] = [];
  const replica = newReplica();
  const ticket = {
    report: () => told.push('report'),
    firstByte: () => told.push('first byte'),
    settle: (as: Outcome) => told.push(`ticket ${as}`),
  };
  const permit = { settle: (evidence: Evidence) => told.push(`permit ${evidence}`) };
  const lease = new Lease(replica, ticket, permit, {
    released: (_, as) => told.push(`released ${as} with ${replica.slot.inFlight} in flight`),
    releasedTwice: () => told.push('released twice'),
  });
  return { lease, inFlight: () => replica.slot.inFlight, told };
}

describe('a lease', () => {
  it('counts as one request in flight from its making to its release', () => {
    const { lease, inFlight } = newLease();
    assert.equal(inFlight(), 1);
    lease.release('succeeded');
    assert.equal(inFlight(), 0);
  });

  it('tells ticket, permit and watcher the outcome, when the load has already gone', () => {
    for (const [outcome, evidence] of [
      ['succeeded', 'success'],
      ['failed', 'failure'],
      ['refused', 'none'],
      ['abandoned', 'none'],
    ] as const) {
      const { lease, told } = newLease();
      lease.firstByte();
      lease.release(outcome);
      assert.deepEqual(told, [
        'first byte',
        `ticket ${outcome}`,
        `permit ${evidence}`,
        `released ${outcome} with 0 in flight`,
      ]);
    }
  });

  it('is released once: whatever comes after is told as a fault and changes no count', () => {
    const { lease, inFlight, told } = newLease();
    lease.release('succeeded');
    const first = told.length;
    lease.release('failed');
    lease.release('succeeded');
    assert.deepEqual(told.slice(first), ['released twice', 'released twice']);
    assert.equal(inFlight(), 0);
  });
});
