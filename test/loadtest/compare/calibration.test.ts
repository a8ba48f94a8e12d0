import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Rng, seededRng, systemRng } from '../../../gateway/kernel/rng.ts';
import { pairedDifference, recommendedRepetitions, verdictOf } from '../../../loadtest/compare/compare.ts';
import { DurationHistogram } from '../../../loadtest/measure/histogram.ts';
import { isFull, repetitions } from '../../support/counts.ts';
import { lognormalMs, normal } from '../../support/run-records.ts';

const requestsASide = 10_000;

/** How many of a hundred comparisons must come out right; of fewer, the same share less two standard deviations of chance. */
const comparisons = repetitions({ quick: 12, full: 100 });
const rightAtLeast = isFull ? 90 : 9;

const tails: Readonly<Record<string, (rng: Rng) => number>> = {
  'lognormal latencies': (rng) => lognormalMs(rng, 40, 1),
  // Of a mean and a variance, and of no third moment.
  'latencies with a Pareto tail': (rng) => 20 * (1 - rng.next()) ** (-1 / 2.5),
};

for (const [name, draw] of Object.entries(tails)) {
  test(`a target against itself shows no difference, and 10 % in p99 are found: ${name}`, (t) => {
    const seed = isFull ? systemRng().below(2 ** 32) : 1987;
    const rng = seededRng(seed);
    const counts = { quiet: 0, found: 0 };
    for (let one = 0; one < comparisons; one++) {
      const pairs = Array.from({ length: recommendedRepetitions }, () => drawPair(rng, draw));
      if (verdict(pairs, rng) === 'no difference shown') counts.quiet += 1;
      if (
        verdict(
          pairs.map(({ a, b }) => ({ a, b: 1.1 * b })),
          rng,
        ) === 'worse'
      )
        counts.found += 1;
    }
    const context = `${JSON.stringify(counts)} of ${comparisons}, seed ${seed}`;
    t.diagnostic(context);
    assert.ok(counts.quiet >= rightAtLeast, `quiet: ${context}`);
    assert.ok(counts.found >= rightAtLeast, `found: ${context}`);
  });
}

/** Two lots of latencies of the same machine in one mood, which differs from pair to pair, and by a little within one. */
function drawPair(rng: Rng, draw: (rng: Rng) => number): { a: number; b: number } {
  const mood = Math.exp(0.2 * normal(rng));
  const side = (): number => p99Of(rng, draw) * mood * Math.exp((0.02 / Math.SQRT2) * normal(rng));
  return { a: side(), b: side() };
}

function p99Of(rng: Rng, draw: (rng: Rng) => number): number {
  const histogram = new DurationHistogram();
  for (let request = 0; request < requestsASide; request++) histogram.record(draw(rng));
  return histogram.quantileMs(0.99) ?? 0;
}

function verdict(pairs: readonly { a: number; b: number }[], rng: Rng): string {
  return verdictOf(pairedDifference(pairs, 'relative', { rng }), false);
}
