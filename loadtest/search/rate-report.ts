import { type Section, tableOf } from '../report/sections.ts';
import type { Summary } from '../report/summary.ts';
import { describeMs, describeRate, describeShare } from '../report/wording.ts';
import type { MaxRate } from './find-max-rate.ts';
import type { Sweep } from './sweep.ts';

/** One rate of a search, with what is to be said of it. */
export interface RatePoint {
  readonly ratePerSecond: number;
  readonly summary: Summary;
  readonly note: string;
}

/** What a search found, told alike for both kinds of search. */
export interface RateReport {
  readonly title: string;
  readonly conclusion: string;
  /** By rising rate. */
  readonly points: readonly RatePoint[];
}

/** A sweep as a report. */
export function reportOfSweep({ points, kneePerSecond, stoppedEarly }: Sweep, name: string): RateReport {
  const knee =
    kneePerSecond === null
      ? 'no knee seen: no valid rate behind one shows it'
      : `the knee is at ${describeRate(kneePerSecond)}`;
  const last = points.at(-1);
  const why = last?.isOverSaturated
    ? ': over-saturated'
    : last?.summary.verdict.isValid
      ? ''
      : ': its last run was INVALID';
  return {
    title: `${name}: sweep`,
    conclusion: `${knee}${stoppedEarly ? `; stopped before the last rate${why}` : ''}`,
    points: points.map(({ ratePerSecond, summary, isOverSaturated }) => ({
      ratePerSecond,
      summary,
      note: noteOf(summary, isOverSaturated, ratePerSecond === kneePerSecond),
    })),
  };
}

function noteOf({ verdict }: Summary, isOverSaturated: boolean, isKnee: boolean): string {
  if (!verdict.isValid) return 'INVALID';
  return isOverSaturated ? 'over-saturated' : isKnee ? 'knee' : '';
}

const limits = {
  slo: 'beyond it the target does not hold what was asked',
  generator: 'limited by the generator, which itself falls behind beyond it: the target may do more',
  bound: 'which is where the search was told to end: the target may do more',
  interruption: 'so far: the search was interrupted',
} as const;

/** What is said where no rate held. */
const hopeless = {
  slo: 'not even the least rate holds',
  generator: 'limited by the generator, which falls behind even at the least rate: nothing is known of the target',
  bound: 'no rate was tried',
  interruption: 'the search was interrupted before any rate had held',
} as const;

/** A search for the highest rate as a report; of a rate that was repeated, the last run is shown. */
export function reportOfMaxRate({ maxPerSecond, limitedBy, tried }: MaxRate, name: string): RateReport {
  const points = tried.flatMap(({ ratePerSecond, held, isValid, runs }): RatePoint[] => {
    const summary = runs.at(-1);
    return summary === undefined
      ? []
      : [{ ratePerSecond, summary, note: isValid ? (held ? 'holds' : 'FAILS') : 'INVALID' }];
  });
  return {
    title: `${name}: highest rate`,
    conclusion: maxPerSecond === null ? hopeless[limitedBy] : `${describeRate(maxPerSecond)}, ${limits[limitedBy]}`,
    points: points.toSorted((a, b) => a.ratePerSecond - b.ratePerSecond),
  };
}

/** A search in words and a table. */
export function rateSections({ title, conclusion, points }: RateReport): Section[] {
  const rows = points.map(({ ratePerSecond, summary: { latency, goodput }, note }) => [
    describeRate(ratePerSecond),
    describeMs(latency.ok?.p50Ms ?? null),
    describeMs(latency.ok?.p99Ms ?? null),
    describeShare(goodput.share),
    describeRate(goodput.perSecond),
    note,
  ]);
  return [{ title, lines: [conclusion], table: tableOf(['rate', 'p50', 'p99', 'goodput', 'good', ''], rows) }];
}
