import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng } from '../../../gateway/kernel/rng.ts';
import { bootstrapMean } from '../../../loadtest/compare/bootstrap.ts';
import { studentBound } from '../../../loadtest/compare/student.ts';
import { repetitions } from '../../support/counts.ts';
import { normal } from '../../support/run-records.ts';

const seed = 23;

test('the interval of a dozen values is nearly as wide as that of Student, and holds the truth nearly as often', () => {
  const rng = seededRng(seed);
  const count = 12;
  const samples = repetitions({ quick: 300, full: 3000 });
  let holding = 0;
  let width = 0;
  for (let sample = 0; sample < samples; sample++) {
    const values = Array.from({ length: count }, () => 3 + normal(rng));
    const { mean, low, high } = bootstrapMean(values, { confidence: 0.99, resamples: 10_000, rng });
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
    width += (high - low) / (2 * studentBound(0.99, count - 1) * Math.sqrt(variance / count)) / samples;
    if (low <= 3 && high >= 3) holding += 1;
  }
  assert.ok(width > 0.93 && width < 1.02, `${width} of Student's width, seed ${seed}`);
  assert.ok(holding / samples > 0.96, `${holding} of ${samples} hold the truth, seed ${seed}`);
});

test('values that are all the same have an interval of no width', () => {
  const values = Array.from({ length: 9 }, () => 0.25);
  assert.deepEqual(bootstrapMean(values, { confidence: 0.99, resamples: 100, rng: seededRng(1) }), {
    mean: 0.25,
    low: 0.25,
    high: 0.25,
  });
});
