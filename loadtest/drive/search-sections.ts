import { type Section, tableOf } from '../report/sections.ts';
import type { Summary } from '../report/summary.ts';
import { describeFigure, describeMs, describeRate, describeShare } from '../report/wording.ts';
import type { Limit, MaxRate } from '../search/find-max-rate.ts';
import type { Sweep } from '../search/sweep.ts';

const limits: Readonly<Record<Limit, string>> = {
  slo: 'beyond it what must be kept is not',
  generator: 'beyond it this machine cannot send on time: the target may bear more',
  bound: 'the search ended at its bound',
};

/** What a search for the highest rate found, in words and a table. */
export function maxRateSections({ maxPerSecond, limitedBy, tried }: MaxRate): Section[] {
  const title =
    maxPerSecond === null
      ? 'No rate that was tried holds'
      : `The highest rate that holds: ${describeRate(maxPerSecond)}`;
  const rows = tried.map(({ ratePerSecond, held, isValid, runs }) => [
    describeRate(ratePerSecond),
    held ? 'holds' : isValid ? 'fails' : 'INVALID',
    ...figuresOf(runs.at(-1)),
  ]);
  return [{ title, lines: [limits[limitedBy]], table: tableOf(['rate', 'verdict', ...figureNames], rows) }];
}

/** What a sweep found. */
export function sweepSections({ points, kneePerSecond, stoppedEarly }: Sweep): Section[] {
  const title = kneePerSecond === null ? 'No knee' : `The knee: ${describeRate(kneePerSecond)}`;
  const rows = points.map(({ ratePerSecond, summary, isOverSaturated }) => [
    describeRate(ratePerSecond),
    summary.verdict.isValid ? (isOverSaturated ? 'over-saturated' : 'bears it') : 'INVALID',
    ...figuresOf(summary),
  ]);
  const lines = stoppedEarly ? ['Higher rates were left out: the last one was too much already'] : [];
  return [{ title, lines, table: tableOf(['rate', 'verdict', ...figureNames], rows) }];
}

const figureNames = ['goodput', 'good/s', 'p50', 'p99'];

function figuresOf(summary: Summary | undefined): string[] {
  if (summary === undefined) return [];
  const { goodput, latency } = summary;
  return [
    describeShare(goodput.share),
    describeFigure(goodput.perSecond),
    describeMs(latency.ok?.p50Ms ?? null),
    describeMs(latency.ok?.p99Ms ?? null),
  ];
}
