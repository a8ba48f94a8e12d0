import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng } from '../../../gateway/kernel/rng.ts';
import { compare, fewestRepetitions, type Pair, verdictOf } from '../../../loadtest/compare/compare.ts';
import {
  comparisonFileOf,
  comparisonFileSchema,
  comparisonJsonSchema,
  comparisonsIn,
} from '../../../loadtest/compare/comparison.ts';
import type { RequestRecord } from '../../../loadtest/measure/record.ts';
import type { Summary } from '../../../loadtest/report/summary.ts';
import { readText } from '../../conventions/sources.ts';
import { lognormalMs, plainFacts, record, summaryOf } from '../../support/run-records.ts';

function side(target: string, seed: number, factor: number, failing = 0): Summary {
  const rng = seededRng(seed);
  const records = Array.from({ length: 400 }, (_, index): RequestRecord => {
    const outcome = rng.next() < failing ? 'upstream_error' : 'ok';
    return record({ index, plannedAtMs: index, latencyMs: factor * lognormalMs(rng, 20, 0.2), outcome });
  });
  return summaryOf(records, { run: { ...plainFacts.run, target } });
}

function pairsOf(count: number, factor: number, failing = 0): Pair[] {
  return Array.from({ length: count }, (_, at) => ({
    a: side('old', 2 * at, 1),
    b: side('new', 2 * at + 1, factor, failing),
  }));
}

test('a comparison says for each metric which side is better, or that nothing was shown', () => {
  const comparison = compare(pairsOf(10, 1.3, 0.2), { rng: seededRng(1) });
  const verdicts = Object.fromEntries(comparison.differences.map(({ metric, verdict }) => [metric, verdict]));
  assert.deepEqual(verdicts, {
    p50: 'worse',
    p90: 'worse',
    p99: 'worse',
    'p99.9': 'worse',
    goodput: 'worse',
    errors: 'worse',
  });
  const [p50] = comparison.differences;
  assert.ok(p50 !== undefined && p50.low <= 0.3 && p50.high >= 0.3, JSON.stringify(p50));
  const errors = comparison.differences.at(-1);
  assert.ok(errors?.kind === 'absolute' && errors.low < 0.2 && errors.high > 0.15, JSON.stringify(errors));
  assert.deepEqual([comparison.a, comparison.b, comparison.repetitions, comparison.reasons], ['old', 'new', 10, []]);
});

test('the same comparison gives the same intervals, byte for byte', () => {
  const pairs = pairsOf(8, 1.02);
  assert.deepEqual(compare(pairs, { rng: seededRng(3) }), compare(pairs, { rng: seededRng(3) }));
});

test('sides that never differ show no difference', () => {
  const pairs = pairsOf(8, 1).map(({ a }) => ({ a, b: a }));
  for (const { verdict, low, high } of compare(pairs, { rng: seededRng(1) }).differences)
    assert.deepEqual([verdict, low, high], ['no difference shown', 0, 0]);
});

test('pairs with an invalid run count for nothing, and too few pairs say nothing', () => {
  const [spoilt, ...others] = pairsOf(fewestRepetitions, 2);
  assert.ok(spoilt !== undefined);
  const invalid = { ...spoilt.a, verdict: { ...spoilt.a.verdict, isValid: false, reasons: ['it was late'] } };
  const { differences, reasons, repetitions } = compare([{ ...spoilt, a: invalid }, ...others], { rng: seededRng(1) });
  assert.deepEqual([differences, repetitions], [[], fewestRepetitions - 1]);
  assert.match(
    reasons.join(),
    /1 of 8 pairs had an invalid run and are left out: it was late.*7 valid pairs are too few: at least 8/,
  );
});

test('an interval that holds 0 shows nothing', () => {
  assert.equal(verdictOf({ mean: 0.1, low: 0, high: 0.2 }, false), 'no difference shown');
  assert.equal(verdictOf({ mean: 0.1, low: 0.01, high: 0.2 }, false), 'worse');
  assert.equal(verdictOf({ mean: 0.1, low: 0.01, high: 0.2 }, true), 'better');
  assert.equal(verdictOf({ mean: -0.1, low: -0.2, high: -0.01 }, true), 'worse');
});

test('a comparison, and several with one target, have the published shape, which loadtest/comparison.schema.json is', () => {
  const comparison = compare(pairsOf(8, 1.1), { rng: seededRng(1) });
  const other = { ...comparison, b: 'newer' };
  for (const all of [[comparison], [comparison, other]]) {
    const file = comparisonFileOf(all);
    assert.deepEqual(comparisonFileSchema.parse(JSON.parse(JSON.stringify(file))), file);
    assert.deepEqual(comparisonsIn(file), all);
  }
  assert.deepEqual(JSON.parse(readText('loadtest/comparison.schema.json')), comparisonJsonSchema());
});
