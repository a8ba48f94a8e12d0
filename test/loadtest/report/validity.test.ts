import assert from 'node:assert/strict';
import { test } from 'node:test';
import { record, summaryOf } from '../../support/run-records.ts';

const healthy = { unsent: 0, ownLimit: null, eventLoopDelayP99Ms: 3, wasInterrupted: false };

/** A hundred requests that were all sent late. */
function laggingBy(lagMs: number, latencyMs: number, health = healthy): ReturnType<typeof summaryOf>['verdict'] {
  const records = Array.from({ length: 100 }, (_, index) =>
    record({ index, plannedAtMs: index, sentAtMs: index + lagMs, latencyMs }),
  );
  return summaryOf(records, { health }).verdict;
}

test('a run is valid while its generator keeps up', () => {
  assert.deepEqual(laggingBy(9.9, 20), {
    isValid: true,
    reasons: [],
    boundMs: 10,
    scheduleLagP99Ms: 9.9,
    eventLoopDelayP99Ms: 3,
  });
});

test('a run is invalid when requests were sent more than 10 ms late', () => {
  const { isValid, reasons } = laggingBy(10.1, 20);
  assert.equal(isValid, false);
  assert.match(reasons.join(), /sent 10\.1 ms late or later, more than the 10\.0 ms/);
});

test('where answers take long, a twentieth of the median may be lost', () => {
  assert.equal(laggingBy(49, 1000).isValid, true);
  assert.equal(laggingBy(51, 1000).isValid, false);
});

test('a run is invalid when the event loop of the generator was late', () => {
  const { isValid, reasons } = laggingBy(0, 20, { ...healthy, eventLoopDelayP99Ms: 30 });
  assert.equal(isValid, false);
  assert.match(reasons.join(), /event loop was 30\.0 ms late/);
});

test('a run is invalid when requests were never sent, and those count as offered', () => {
  const summary = summaryOf([record()], { health: { ...healthy, unsent: 1 } });
  assert.deepEqual(summary.verdict.reasons, ['1 planned request was never sent']);
  assert.deepEqual([summary.requests.offered, summary.goodput.share], [2, 0.5]);
});

test('where this machine would open no more connections, the verdict says what to do about it', () => {
  const { verdict } = summaryOf([record()], {
    health: { unsent: 2, ownLimit: 'EMFILE', eventLoopDelayP99Ms: null, wasInterrupted: false },
  });
  assert.deepEqual(verdict.reasons, [
    '2 planned requests were never sent',
    'the generator could open no more connections: EMFILE; raise how many files a process may have open (ulimit -n)',
  ]);
});

test('a run that was interrupted is invalid, and says so', () => {
  const { isValid, reasons } = laggingBy(0, 20, { ...healthy, wasInterrupted: true });
  assert.equal(isValid, false);
  assert.match(reasons.join(), /^it was interrupted/);
});

test('a run without a single request is invalid', () => {
  assert.deepEqual(summaryOf([]).verdict.reasons, ['no request was sent in the measured time']);
});

test('one late send in two hundred does not spoil a run', () => {
  const records = Array.from({ length: 200 }, (_, index) =>
    record({ index, plannedAtMs: index, sentAtMs: index + (index === 7 ? 500 : 0), latencyMs: 600 }),
  );
  assert.equal(summaryOf(records).verdict.isValid, true);
});
