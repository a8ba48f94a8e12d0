import assert from 'node:assert/strict';
import { test } from 'node:test';
import { record, summaryOf } from '../../support/run-records.ts';

test('a request stands in the second it was planned for, and is in flight until it ends', () => {
  const { steps } = summaryOf([
    record({ plannedAtMs: 100, latencyMs: 2500 }),
    record({ plannedAtMs: 1100, latencyMs: 50 }),
    record({ plannedAtMs: 1200, latencyMs: 5, outcome: 'shed' }),
  ]).series;
  assert.deepEqual(
    steps.map(({ offered, inFlight, maxMs, outcomes }) => [offered, inFlight, maxMs, outcomes.shed]),
    [
      [1, 1, 2500, 0],
      [2, 1, 50, 1],
      [0, 0, null, 0],
    ],
  );
});

test('what never ended stays in flight', () => {
  const { steps } = summaryOf([
    record({ outcome: 'unfinished', latencyMs: 1500 }),
    record({ plannedAtMs: 1900 }),
  ]).series;
  assert.deepEqual(
    steps.map(({ inFlight }) => inFlight),
    [1, 1],
  );
});
