import { z } from 'zod';
import { summarySchema } from '../report/summary.ts';
import type { MeasureAt } from './find-max-rate.ts';
import { isOverSaturated } from './over-saturation.ts';

const sweepPointSchema = z.strictObject({
  ratePerSecond: z.number(),
  summary: summarySchema,
  isOverSaturated: z.boolean(),
});

/** The shape of sweep.json. */
export const sweepSchema = z.strictObject({
  points: z.array(sweepPointSchema),
  kneePerSecond: z
    .number()
    .nullable()
    .describe('The best compromise of throughput and delay; null when no valid point beyond it shows that it is one.'),
  stoppedEarly: z
    .boolean()
    .describe('Whether it ended before its last rate: beyond over-saturation a longer run only shows a longer queue.'),
});

/** One rate of a sweep. */
export type SweepPoint = z.infer<typeof sweepPointSchema>;

/** What a sweep found. */
export type Sweep = z.infer<typeof sweepSchema>;

/** Measures rising rates until one over-saturates the target or the generator falls behind. */
export async function sweep(ratesPerSecond: readonly number[], measureAt: MeasureAt): Promise<Sweep> {
  const rising = ratesPerSecond.toSorted((a, b) => a - b);
  const points: SweepPoint[] = [];
  for (const ratePerSecond of rising) {
    const summary = await measureAt(ratePerSecond);
    const point = { ratePerSecond, summary, isOverSaturated: isOverSaturated(summary) };
    points.push(point);
    if (point.isOverSaturated || !summary.verdict.isValid) break;
  }
  return { points, kneePerSecond: kneeOf(points), stoppedEarly: points.length < rising.length };
}

/**
 * The rate with the most good answers a second for each millisecond of p99. This ratio is Kleinrock's power ("Power and deterministic rules of
 * thumb for probabilistic problems in computer communications", ICC 1979), whose maximum he names the knee: it needs no threshold, and falls when
 * either latency or goodput bends. An M/M/1 queue has it at half its capacity. Where it still rises at the last valid point no knee has been seen.
 */
export function kneeOf(points: readonly Pick<SweepPoint, 'ratePerSecond' | 'summary'>[]): number | null {
  let knee: number | null = null;
  let last: number | null = null;
  let most = 0;
  for (const { ratePerSecond, summary } of points) {
    const p99Ms = summary.latency.ok?.p99Ms ?? 0;
    if (!summary.verdict.isValid) continue;
    last = ratePerSecond;
    const power = p99Ms === 0 ? 0 : summary.goodput.perSecond / p99Ms;
    if (power <= most) continue;
    most = power;
    knee = ratePerSecond;
  }
  return knee === last ? null : knee;
}

/** Rates from one to another, each the same share above the one before. */
export function sweepRates(fromPerSecond: number, toPerSecond: number, count: number): number[] {
  const ratio = count < 2 ? 1 : (toPerSecond / fromPerSecond) ** (1 / (count - 1));
  return Array.from({ length: count }, (_, at) => fromPerSecond * ratio ** at);
}
