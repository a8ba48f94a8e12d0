import type { Rng } from '../../gateway/kernel/rng.ts';
import { metrics } from '../report/assertion.ts';
import { rounded } from '../report/rounding.ts';
import type { Summary } from '../report/summary.ts';
import { bootstrapMean, defaultResamples, type Interval } from './bootstrap.ts';
import type { Comparison, Difference } from './comparison.ts';

/**
 * One repetition: both sides under the same schedule, one right after the other (A first and B first by turns), so that the machine's
 * mood falls on both alike and drops out of their difference.
 */
export interface Pair {
  readonly a: Summary;
  readonly b: Summary;
}

/** With one interval for each of five metrics or so, 99 % each make about 95 % for all. */
export const defaultConfidence = 0.99;

/** Fewer differences cannot bear 99 %: even the range of all holds the middle in only 1 - 2^(1 - n) of cases. */
export const fewestRepetitions = 8;

/** With 10,000 requests a side each, these show a true 10 % in p99 in at least 90 of 100 comparisons, heavy tails included (test/loadtest/compare). */
export const recommendedRepetitions = 12;

/** What is compared unless somebody asks for more. */
export const usualMetrics: readonly string[] = [
  'p50',
  'p90',
  'p99',
  'p99.9',
  'ttft.p50',
  'ttft.p99',
  'itl.p99',
  'tpot.p50',
  'goodput',
  'errors',
];

/** What may differ from the usual. */
export interface CompareOptions {
  readonly rng: Rng;
  readonly metrics?: readonly string[];
  readonly confidence?: number;
  readonly resamples?: number;
}

/** How B differs from A in each metric that both have. Pairs of which a run is invalid count for nothing. */
export function compare(pairs: readonly Pair[], options: CompareOptions): Comparison {
  const { metrics: wanted = usualMetrics, confidence = defaultConfidence } = options;
  const valid = pairs.filter(({ a, b }) => a.verdict.isValid && b.verdict.isValid);
  const names = { a: pairs[0]?.a.run.target ?? 'A', b: pairs[0]?.b.run.target ?? 'B' };
  const isEnough = valid.length >= fewestRepetitions;
  return {
    version: 1,
    ...names,
    confidence,
    repetitions: valid.length,
    isSimulated: pairs[0]?.a.run.isSimulated ?? false,
    reasons: [
      ...(valid.length < pairs.length
        ? [
            `${pairs.length - valid.length} of ${pairs.length} pairs had an invalid run and are left out: ${firstReason(pairs)}`,
          ]
        : []),
      ...(isEnough ? [] : [`${valid.length} valid pairs are too few: at least ${fewestRepetitions} are needed`]),
    ],
    differences: isEnough
      ? wanted.flatMap((metric) => differenceIn(metric, valid, { ...options, confidence }, names))
      : [],
  };
}

/** Why the first of them that is invalid is so; the others are seldom so for another reason. */
function firstReason(pairs: readonly Pair[]): string {
  return pairs.flatMap(({ a, b }) => [...a.verdict.reasons, ...b.verdict.reasons])[0] ?? '';
}

function differenceIn(
  metric: string,
  pairs: readonly Pair[],
  options: CompareOptions & { readonly confidence: number },
  names: { readonly a: string; readonly b: string },
): Difference[] {
  const known = metrics[metric];
  if (known === undefined) throw new RangeError(`${metric} is no metric`);
  const values = pairs.flatMap(({ a, b }) => {
    const [ofA, ofB] = [known.of(a), known.of(b)];
    return ofA === null || ofB === null ? [] : [{ a: ofA, b: ofB }];
  });
  // A metric that only some runs have would be compared on other runs than its neighbours.
  if (values.length < pairs.length) return [];
  const kind = known.unit === 'share' ? 'absolute' : 'relative';
  const found = pairedDifference(values, kind, options);
  return [
    {
      metric,
      unit: known.unit,
      a: { name: names.a, values: values.map(({ a }) => a) },
      b: { name: names.b, values: values.map(({ b }) => b) },
      kind,
      difference: rounded(found.mean),
      low: rounded(found.low),
      high: rounded(found.high),
      verdict: verdictOf(found, isMoreBetter(metric)),
    },
  ];
}

/** Durations have no zero for the logarithm's sake: the histograms' own resolution stands in for it. */
const leastValue = 0.001;

/**
 * The difference of paired values. A relative one is taken of logarithms, where a factor is a factor both ways and the tail's skew is gone, and told
 * as a share: 0.1 says that B has 10 % more.
 */
export function pairedDifference(
  values: readonly { readonly a: number; readonly b: number }[],
  kind: 'relative' | 'absolute',
  { rng, confidence = defaultConfidence, resamples = defaultResamples }: CompareOptions,
): Interval {
  const isRelative = kind === 'relative';
  const scaled = (value: number): number => (isRelative ? Math.log(Math.max(value, leastValue)) : value);
  const differences = values.map(({ a, b }) => scaled(b) - scaled(a));
  const { mean, low, high } = bootstrapMean(differences, { confidence, resamples, rng });
  return isRelative ? { mean: Math.expm1(mean), low: Math.expm1(low), high: Math.expm1(high) } : { mean, low, high };
}

/** An interval that holds 0 shows nothing: neither a difference nor that there is none. */
export function verdictOf({ low, high }: Interval, isMoreBetter: boolean): Difference['verdict'] {
  if (low <= 0 && high >= 0) return 'no difference shown';
  return low > 0 === isMoreBetter ? 'better' : 'worse';
}

function isMoreBetter(metric: string): boolean {
  return /^(?:ok|goodput|goodput_rate|rate|tokens_rate)$/.test(metric);
}
