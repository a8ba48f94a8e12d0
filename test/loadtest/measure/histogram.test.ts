import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DurationHistogram } from '../../../loadtest/measure/histogram.ts';
import { repetitions } from '../../support/counts.ts';

const durations = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 300 });
const shares = [0.01, 0.5, 0.9, 0.99, 0.999, 1];

test('a quantile is within 0.1 % of the exact one', () => {
  fc.assert(
    fc.property(durations, (values) => {
      const sorted = values.toSorted((a, b) => a - b);
      const histogram = histogramOf(values);
      for (const share of shares) {
        const exact = sorted[Math.max(0, Math.ceil(share * sorted.length - 1e-9) - 1)] ?? 0;
        const told = histogram.quantileMs(share) ?? -1;
        assert.ok(Math.abs(told - exact) <= 0.001 * exact + 0.001, `${share}: ${told} for ${exact}`);
      }
    }),
    { numRuns: repetitions({ quick: 100, full: 1000 }) },
  );
});

test('the merge of histograms is the histogram of the union', () => {
  fc.assert(
    fc.property(durations, durations, (some, others) => {
      const merged = histogramOf(some);
      merged.add(histogramOf(others));
      assertSame(merged, histogramOf([...some, ...others]));
    }),
    { numRuns: repetitions({ quick: 100, full: 1000 }) },
  );
});

test('a histogram is the same after it was sent as text, and can go on counting', () => {
  fc.assert(
    fc.property(durations, durations, (some, others) => {
      const decoded = DurationHistogram.decode(histogramOf(some).encode());
      for (const value of others) decoded.record(value);
      assertSame(decoded, histogramOf([...some, ...others]));
    }),
    { numRuns: repetitions({ quick: 100, full: 1000 }) },
  );
});

test('an empty histogram has no quantile, no mean and no maximum', () => {
  const empty = new DurationHistogram();
  assert.deepEqual([empty.quantileMs(0.5), empty.meanMs, empty.maxMs, empty.count], [null, null, null, 0]);
});

test('the maximum and the mean are those of the values, not of their buckets', () => {
  const histogram = histogramOf([100.003, 987_654.321]);
  assert.equal(histogram.maxMs, 987_654.321);
  assert.equal(histogram.quantileMs(1), 987_654.321);
  assert.equal(histogram.meanMs, (100.003 + 987_654.321) / 2);
});

function histogramOf(values: readonly number[]): DurationHistogram {
  const histogram = new DurationHistogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

function assertSame(one: DurationHistogram, other: DurationHistogram): void {
  assert.equal(one.count, other.count);
  assert.equal(one.maxMs, other.maxMs);
  for (const share of shares) assert.equal(one.quantileMs(share), other.quantileMs(share));
  assert.ok(Math.abs((one.meanMs ?? 0) - (other.meanMs ?? 0)) <= 1e-9 * (other.meanMs ?? 0) + 1e-9);
}
