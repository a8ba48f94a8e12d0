import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isSuspect, tripByClientErrors, tripByFailures } from '../../gateway/guard/trip-rules.ts';
import { defaultRules } from '../support/gates.ts';

const counts = (succeeded: number, failed: number, clientErrors = 0) => ({ succeeded, failed, clientErrors });
const run = (length: number, unreachable = 0, timeouts = 0) => ({ length, timeouts, unreachable });

describe('failures trip', () => {
  it('when there are five in a row, as an outlier', () => {
    assert.equal(tripByFailures(run(4), counts(100, 4), defaultRules), null);
    assert.deepEqual(tripByFailures(run(5), counts(100, 5), defaultRules), {
      cause: 'outlier',
      reason: '5 failures in a row',
    });
  });

  it('when there are three time-outs in a row, of which each counts twice', () => {
    assert.equal(tripByFailures(run(2, 0, 2), counts(100, 2), defaultRules), null);
    assert.equal(tripByFailures(run(3, 0, 1), counts(100, 3), defaultRules), null);
    assert.deepEqual(tripByFailures(run(3, 0, 3), counts(100, 3), defaultRules), {
      cause: 'outlier',
      reason: '3 failures in a row, 3 of them time-outs, which count twice',
    });
  });

  it('as unreachable where in none of those in a row anything could be sent', () => {
    assert.deepEqual(tripByFailures(run(5, 5), counts(0, 5), defaultRules), {
      cause: 'unreachable',
      reason: '5 requests in a row could not be sent',
    });
  });

  it('as unreachable, too, where the last five of them could not be sent, whatever came before', () => {
    assert.equal(tripByFailures(run(6, 5), counts(0, 6), defaultRules)?.cause, 'unreachable');
    assert.equal(tripByFailures(run(6, 4), counts(0, 6), defaultRules)?.cause, 'outlier');
  });

  it('by their share as unreachable where none since the last answer could be sent', () => {
    assert.equal(tripByFailures(run(3, 3), counts(7, 3), defaultRules)?.cause, 'unreachable');
    assert.equal(tripByFailures(run(3, 2), counts(7, 3), defaultRules)?.cause, 'outlier');
    assert.equal(tripByFailures(run(1, 1), counts(7, 3), defaultRules)?.cause, 'outlier', 'one alone');
  });

  it('when fewer than 80 % of at least ten requests in the window succeeded', () => {
    assert.equal(tripByFailures(run(1), counts(6, 3), defaultRules), null, 'nine requests');
    assert.equal(tripByFailures(run(1), counts(8, 2), defaultRules), null, '80 %');
    assert.deepEqual(tripByFailures(run(1), counts(7, 3), defaultRules), {
      cause: 'outlier',
      reason: '3 of 10 requests failed within 10000 ms',
    });
  });

  it('not where clients’ errors make up the rest: those are answers', () => {
    assert.equal(tripByFailures(run(1), counts(0, 2, 8), defaultRules), null);
  });
});

describe('errors of clients trip', () => {
  it('when they are half of 20 answers, and five times the siblings’ share', () => {
    const trip = tripByClientErrors(counts(10, 0, 10), counts(18, 0, 2));
    assert.deepEqual(trip, {
      cause: 'client_errors',
      reason: '50 % of its requests got 4xx or no answer in time, and 10 % of the other replicas’',
    });
    assert.equal(tripByClientErrors(counts(11, 0, 9), counts(100, 0)), null, 'not half');
    assert.equal(tripByClientErrors(counts(9, 0, 10), counts(100, 0)), null, '19 answers');
    assert.equal(tripByClientErrors(counts(10, 0, 10), counts(17, 0, 3)), null, 'less than five times');
  });

  it('not when there are no siblings to compare with, or they have hardly answered', () => {
    assert.equal(tripByClientErrors(counts(0, 0, 1000), counts(0, 0)), null);
    assert.equal(tripByClientErrors(counts(0, 0, 1000), counts(19, 0)), null);
    assert.notEqual(tripByClientErrors(counts(0, 0, 1000), counts(20, 0)), null);
  });

  it('only where a replica is suspect, which is cheaper to ask', () => {
    assert.equal(isSuspect(counts(10, 0, 10)), true);
    assert.equal(isSuspect(counts(11, 0, 9)), false);
    assert.equal(isSuspect(counts(0, 0, 19)), false);
  });
});
