import type { Rng } from '../../gateway/kernel/rng.ts';
import { exponential, normal } from '../model-server/draws.ts';
import type { Burstiness } from '../scenario/scenario.ts';

/** Draws the gap between two arrivals; its mean is 1. */
export type Gap = (rng: Rng) => number;

/** The gaps of some burstiness, as in `vllm bench serve`: gamma distributed with it as their shape, of which 1 is exponential. */
export function gapOf(burstiness: Burstiness): Gap {
  if (burstiness === 'even') return () => 1;
  return burstiness === 1 ? exponential : (rng) => gamma(rng, burstiness) / burstiness;
}

/** Gamma distributed with a shape, and a scale of 1 (Marsaglia and Tsang, 2000; shapes below 1 by their section 6). */
function gamma(rng: Rng, shape: number): number {
  if (shape < 1) return gamma(rng, shape + 1) * Math.exp(-exponential(rng) / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(rng);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - rng.next()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}
