import type { Rng } from '../../gateway/kernel/rng.ts';
import { normalShareBelow, studentBound } from './student.ts';

/** A mean and what it may really be. */
export interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** How to draw a bootstrap interval. */
export interface BootstrapOptions {
  /** How often the interval holds the truth. */
  readonly confidence: number;
  readonly resamples: number;
  readonly rng: Rng;
}

/** So many resamples leave a dozen beyond either end of an interval of 99 % from 12 values. */
export const defaultResamples = 20_000;

/**
 * The bootstrap interval for the mean of a few independent values, its percentiles moved outwards by what few values understate (the expanded percentile
 * interval of Hesterberg, "What Teachers Should Know About the Bootstrap", The American Statistician 69(4), 2015).
 *
 * Chosen by simulation: differences of log p99 between two lots of 10,000 lognormal or Pareto (2.5) latencies, 2 % of noise between repetitions,
 * 99 % intervals. Of 8 (12) differences, the plain percentile interval and BCa hold the truth in 93 (93 to 99) of 100 cases, this one in 96 (98 to 100),
 * Student's t in 99 (99 to 100); a true 10 % is found in 97, 90 and 84 of 100 from 8, in 99 to 100 by each from 12. Bootstrap-t is as
 * safe as Student's t and finds less. Resampling the records within each repetition would not see what differs from one repetition to the next.
 */
export function bootstrapMean(values: readonly number[], { confidence, resamples, rng }: BootstrapOptions): Interval {
  const count = values.length;
  const mean = meanOf(values);
  const means = Float64Array.from({ length: resamples }, () => {
    let sum = 0;
    for (let drawn = 0; drawn < count; drawn++) sum += values[rng.below(count)] ?? 0;
    return sum / count;
  }).sort();
  const outside = normalShareBelow(-Math.sqrt(count / (count - 1)) * studentBound(confidence, count - 1));
  const at = Math.floor(outside * resamples);
  return { mean, low: means[at] ?? mean, high: means[resamples - 1 - at] ?? mean };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
