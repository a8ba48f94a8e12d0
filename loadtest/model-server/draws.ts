import type { Rng } from '../../gateway/kernel/rng.ts';

/** Exponentially distributed with mean 1. */
export function exponential(rng: Rng): number {
  return -Math.log(1 - rng.next());
}

/** Normally distributed with mean 0 and standard deviation 1 (Box and Muller, 1958; the second value is let go, so that a draw leaves nothing behind). */
export function normal(rng: Rng): number {
  return Math.sqrt(2 * exponential(rng)) * Math.cos(2 * Math.PI * rng.next());
}

/** Log-normally distributed with a mean of 1 and a coefficient of variation (standard deviation over mean). */
export function lognormal(rng: Rng, variation: number): number {
  const logVariance = Math.log(1 + variation * variation);
  return Math.exp(Math.sqrt(logVariance) * normal(rng) - logVariance / 2);
}
