import type { DurationHistogram } from '../measure/histogram.ts';
import { outcomes } from '../measure/record.ts';
import { rounded } from './rounding.ts';
import type { Slos } from './slos.ts';
import type { Band, Distribution, Summary } from './summary.ts';
import type { Tally } from './tally.ts';
import { type GeneratorHealth, judgeValidity } from './validity.ts';

/** What a summary says besides what its records do. */
export interface RunFacts {
  readonly run: Summary['run'];
  readonly slos: Slos;
  readonly warmUpMs: number;
  /** When the schedule ended, since the start; null to take its last request for the end. */
  readonly untilMs: number | null;
  readonly bands: readonly Band[];
  readonly health: GeneratorHealth;
}

/** What a tally amounts to. */
export function summarize(tally: Tally, facts: RunFacts): Summary {
  const { counts } = tally;
  const window = { fromMs: facts.warmUpMs, untilMs: Math.max(facts.warmUpMs, facts.untilMs ?? tally.lastPlannedAtMs) };
  const perSecond = (count: number): number =>
    window.untilMs > window.fromMs ? rounded((count * 1000) / (window.untilMs - window.fromMs)) : 0;
  const sent = outcomes.reduce((sum, outcome) => sum + tally.outcomes[outcome], 0);
  const offered = sent + facts.health.unsent;
  const scheduleLag = distributionOf(tally.scheduleLag);
  const latency = latencies(tally);
  return {
    version: 1,
    run: facts.run,
    verdict: judgeValidity({ scheduleLag, latency }, facts.health),
    window,
    slos: facts.slos,
    requests: {
      offered,
      perSecond: perSecond(offered),
      unsent: facts.health.unsent,
      warmUp: counts.warmUp,
      outcomes: tally.outcomes,
      upstream: upstreamOf(tally),
    },
    goodput: { good: counts.good, share: shareOf(counts.good, offered), perSecond: perSecond(counts.good) },
    latency,
    service: distributionOf(tally.service),
    scheduleLag,
    ...streamFigures(tally, perSecond),
    curve: curveOf(tally),
    ...replicasOf(tally, sent),
    timeSpent: timeSpentOf(tally),
    series: tally.timeLine.series(),
    bands: [...facts.bands],
    asserts: [],
    records: { kept: tally.sample.records().length, of: counts.records },
  };
}

/** The usual quantiles of a histogram; null when it is empty. */
export function distributionOf(histogram: DurationHistogram): Distribution | null {
  if (histogram.count === 0) return null;
  const at = (share: number): number => rounded(histogram.quantileMs(share) ?? 0);
  return {
    count: histogram.count,
    meanMs: rounded(histogram.meanMs ?? 0),
    p50Ms: at(0.5),
    p90Ms: at(0.9),
    p95Ms: at(0.95),
    p99Ms: at(0.99),
    p999Ms: at(0.999),
    maxMs: rounded(histogram.maxMs ?? 0),
  };
}

function latencies(tally: Tally): Summary['latency'] {
  const entries = outcomes.map((outcome) => [outcome, distributionOf(tally.latency[outcome])] as const);
  return Object.fromEntries(entries) as Summary['latency'];
}

function streamFigures(tally: Tally, perSecond: (count: number) => number): Pick<Summary, 'streams' | 'tokens'> {
  const { inputTokens, outputTokens } = tally.counts;
  return {
    streams: {
      timeToFirstToken: distributionOf(tally.timeToFirstToken),
      interToken: distributionOf(tally.interToken),
      timePerOutputToken: distributionOf(tally.timePerOutputToken),
    },
    tokens: { input: inputTokens, output: outputTokens, outputPerSecond: perSecond(outputTokens) },
  };
}

/** Ten points for each further nine, to 99.99 %; a quantile beyond what so many requests can show is left out. */
function curveOf(tally: Tally): Summary['curve'] {
  const ok = tally.latency.ok;
  const points = Array.from({ length: 41 }, (_, at) => 1 - 10 ** (-at / 10));
  return points
    .filter((share) => ok.count > 0 && (1 - share) * ok.count >= 1 - 1e-9)
    .map((share) => ({
      share: rounded(share),
      latencyMs: rounded(ok.quantileMs(share)),
      serviceMs: rounded(tally.service.quantileMs(share)),
      timeToFirstTokenMs: rounded(tally.timeToFirstToken.quantileMs(share)),
      interTokenMs: rounded(tally.interToken.quantileMs(share)),
    }));
}

function replicasOf(tally: Tally, sent: number): Pick<Summary, 'replicas' | 'withoutReplica'> {
  const named = [...tally.replicas.values()].reduce((sum, { requests }) => sum + requests, 0);
  const replicas = [...tally.replicas].map(([name, { requests, latency }]) => ({
    name,
    requests,
    share: shareOf(requests, named),
    p50Ms: rounded(latency.quantileMs(0.5)),
    p99Ms: rounded(latency.quantileMs(0.99)),
  }));
  return {
    replicas: replicas.toSorted((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true })),
    withoutReplica: sent - named,
  };
}

function timeSpentOf({ spent }: Tally): Summary['timeSpent'] {
  if (spent.count === 0) return null;
  // What rounding at both ends may have made less than nothing is nothing.
  const mean = (sumMs: number): number => rounded(Math.max(0, sumMs / spent.count));
  return {
    count: spent.count,
    lagMs: mean(spent.lagMs),
    queueMs: mean(spent.queueMs),
    upstreamMs: mean(spent.upstreamMs),
    gatewayMs: mean(spent.gatewayMs),
    bodyMs: mean(spent.bodyMs),
  };
}

function upstreamOf({ counts: { sends, toldSends } }: Tally): Summary['requests']['upstream'] {
  return toldSends === 0 ? null : { sends, toldBy: toldSends, perOffered: rounded(sends / toldSends) };
}

function shareOf(part: number, whole: number): number {
  return whole === 0 ? 0 : rounded(part / whole);
}
