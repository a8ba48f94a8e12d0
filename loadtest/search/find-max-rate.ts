import { z } from 'zod';
import { type Summary, summarySchema } from '../report/summary.ts';

/** Makes one run at a rate. Repeats of a rate differ in their seed, which is the caller's affair. */
export type MeasureAt = (ratePerSecond: number) => Promise<Summary>;

/** How to look for the highest rate. */
export interface FindMaxRateOptions {
  readonly measureAt: MeasureAt;
  /** What a run must keep for its rate to count: SLOs, claims, or both. */
  readonly isMet: (summary: Summary) => boolean;
  readonly startPerSecond: number;
  readonly mostPerSecond: number;
  readonly leastPerSecond: number;
  /** Stop when the rates that held and failed are no further apart than this share. */
  readonly precision: number;
  /** Near the boundary chance decides single runs: the majority of this odd number does instead. */
  readonly repeats: number;
  /** Somebody has ended it: no run is begun any more. */
  readonly isInterrupted: () => boolean;
}

const rateTriedSchema = z.strictObject({
  ratePerSecond: z.number(),
  held: z.boolean(),
  isValid: z.boolean(),
  runs: z.array(summarySchema),
});

/** The shape of max-rate.json. */
export const maxRateSchema = z.strictObject({
  maxPerSecond: z.number().nullable(),
  limitedBy: z.enum(['slo', 'generator', 'bound', 'interruption']),
  tried: z.array(rateTriedSchema),
});

/** One rate that was tried. */
export type RateTried = z.infer<typeof rateTriedSchema>;

/**
 * What a search for the highest rate found; `maxPerSecond` is null when not even the least rate held. Limited by the `generator`: runs were INVALID
 * there again and again, so that the target's own limit lies higher than can be told from here.
 */
export type MaxRate = z.infer<typeof maxRateSchema>;

/** Doubles the rate until it fails (or halves it until it holds), then halves the ratio between. */
export async function findMaxRate(options: FindMaxRateOptions): Promise<MaxRate> {
  const { startPerSecond, mostPerSecond, leastPerSecond, precision } = options;
  const tried: RateTried[] = [];
  const attempt = async (ratePerSecond: number): Promise<boolean> => {
    const result = await tryRate(ratePerSecond, options);
    tried.push(result);
    return result.held;
  };
  let held: number | null = null;
  let failed: number | null = null;
  let rate = Math.min(mostPerSecond, Math.max(leastPerSecond, startPerSecond));
  for (;;) {
    if (await attempt(rate)) held = rate;
    else failed = rate;
    if (options.isInterrupted()) return { maxPerSecond: held, limitedBy: 'interruption', tried };
    const next = nextBracket(rate, { held, failed, mostPerSecond, leastPerSecond });
    if (next === null) break;
    rate = next;
  }
  while (held !== null && failed !== null && failed / held > 1 + precision) {
    const middle = Math.sqrt(held * failed);
    if (await attempt(middle)) held = middle;
    else failed = middle;
    if (options.isInterrupted()) return { maxPerSecond: held, limitedBy: 'interruption', tried };
  }
  return { maxPerSecond: held, limitedBy: limitOf(tried, { held, failed }), tried };
}

/** A target that fails wherever it was measured has shown its own limit, whatever the generator did at other rates. */
function limitOf(
  tried: readonly RateTried[],
  { held, failed }: Pick<Bracket, 'held' | 'failed'>,
): MaxRate['limitedBy'] {
  if (failed === null) return 'bound';
  const isOfTarget = tried.some(({ ratePerSecond, isValid }) => isValid && (held === null || ratePerSecond === failed));
  return isOfTarget ? 'slo' : 'generator';
}

interface Bracket {
  readonly held: number | null;
  readonly failed: number | null;
  readonly mostPerSecond: number;
  readonly leastPerSecond: number;
}

/** The next rate outwards; null when both sides are known or a bound is reached. */
function nextBracket(rate: number, { held, failed, mostPerSecond, leastPerSecond }: Bracket): number | null {
  if (held !== null && failed !== null) return null;
  const next = failed === null ? Math.min(mostPerSecond, 2 * rate) : Math.max(leastPerSecond, rate / 2);
  return next === rate ? null : next;
}

/** So often a rate may have an invalid run: one may be the mood of the machine, three are its limit. */
const mostInvalid = 3;

/** Runs until one side has the majority, or too many runs were invalid. */
async function tryRate(ratePerSecond: number, options: FindMaxRateOptions): Promise<RateTried> {
  const { measureAt, isMet, repeats, isInterrupted } = options;
  const runs: Summary[] = [];
  const majority = Math.floor(repeats / 2) + 1;
  const counts = { met: 0, missed: 0, invalid: 0 };
  const isOpen = (): boolean =>
    counts.met < majority && counts.missed < majority && counts.invalid < mostInvalid && !isInterrupted();
  while (isOpen()) {
    const summary = await measureAt(ratePerSecond);
    runs.push(summary);
    counts[!summary.verdict.isValid ? 'invalid' : isMet(summary) ? 'met' : 'missed'] += 1;
  }
  return { ratePerSecond, held: counts.met >= majority, isValid: counts.invalid < mostInvalid, runs };
}
