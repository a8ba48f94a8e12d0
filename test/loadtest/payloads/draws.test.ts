import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng } from '../../../gateway/kernel/rng.ts';
import { drawLength } from '../../../loadtest/payloads/length.ts';
import { zipfOf } from '../../../loadtest/payloads/zipf.ts';
import type { Length } from '../../../loadtest/scenario/scenario.ts';
import { repetitions } from '../../support/counts.ts';
import { assertDrawnFrom, assertUniform, tally } from '../../support/statistics.ts';

const draws = repetitions({ quick: 20_000, full: 2_000_000 });
const seed = 11;

for (const exponent of [0, 0.7, 1, 2]) {
  test(`the k-th key of Zipf is drawn in proportion to 1 / k^${exponent}`, () => {
    const keys = Array.from({ length: 20 }, (_, key) => key);
    const weights = keys.map((key) => (key + 1) ** -exponent);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const rng = seededRng(seed);
    const draw = zipfOf(exponent, keys.length);
    const counts = tally(keys, draws, () => draw(rng));
    assertDrawnFrom(
      weights.map((weight) => weight / total),
      counts,
      `seed ${seed}`,
    );
  });
}

test('a million keys can be drawn from, up to the last', () => {
  const draw = zipfOf(0, 1_000_000);
  assert.equal(draw({ next: () => 0, below: () => 0 }), 0);
  assert.equal(draw({ next: () => 1 - 2 ** -32, below: () => 0 }), 999_999);
  assert.equal(zipfOf(1, 1)(seededRng(seed)), 0);
});

test('a uniform length is every number within its bounds, each as often', () => {
  const rng = seededRng(seed);
  const counts = tally([3, 4, 5, 6, 7], draws, () => drawLength({ kind: 'uniform', from: 3, to: 7 }, rng));
  assertUniform(counts, `seed ${seed}`);
});

test('a lognormal length has its mean, is at least 1 and at most what it may be', () => {
  const length: Length = { kind: 'lognormal', mean: 500, variation: 1, most: 1_000_000 };
  const rng = seededRng(seed);
  const drawn = Array.from({ length: draws }, () => drawLength(length, rng));
  const mean = drawn.reduce((sum, count) => sum + count, 0) / draws;
  // Its standard deviation is its mean; four of those of the sample.
  assert.ok(Math.abs(mean / 500 - 1) < 4 / Math.sqrt(draws), `seed ${seed}: mean ${mean}`);
  const median = drawn.toSorted((a, b) => a - b)[draws / 2] ?? 0;
  // exp(-log(2) / 2) of the mean; the sample's median varies by sqrt(pi / 2 / n) of its logarithm's deviation, 0.83.
  assert.ok(
    Math.abs(Math.log(median / (500 * Math.SQRT1_2))) < 4 * 0.83 * Math.sqrt(Math.PI / 2 / draws),
    `seed ${seed}: median ${median}`,
  );
  const cut = Array.from({ length: 1000 }, () =>
    drawLength({ kind: 'lognormal', mean: 2, variation: 5, most: 4 }, rng),
  );
  assert.deepEqual(new Set(cut), new Set([1, 2, 3, 4]));
});

test('a fixed length takes no draw', () => {
  const rng = seededRng(seed);
  assert.equal(drawLength({ kind: 'fixed', count: 9 }, rng), 9);
  assert.equal(rng.next(), seededRng(seed).next());
});
