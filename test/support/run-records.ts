import { type Rng, seededRng } from '../../gateway/kernel/rng.ts';
import type { Outcome, RequestRecord } from '../../loadtest/measure/record.ts';
import { type RunFacts, summarize } from '../../loadtest/report/summarize.ts';
import type { Summary } from '../../loadtest/report/summary.ts';
import { Tally, type TallyOptions } from '../../loadtest/report/tally.ts';

/** An answered request of 10 ms, but for what a test says of it. */
export function record(facts: Partial<RequestRecord> & { readonly latencyMs?: number } = {}): RequestRecord {
  const { latencyMs = 10, ...own } = facts;
  const plannedAtMs = own.plannedAtMs ?? 0;
  return {
    index: 0,
    target: 'gateway',
    outcome: 'ok',
    status: 200,
    plannedAtMs,
    sentAtMs: plannedAtMs,
    firstByteAtMs: plannedAtMs + latencyMs,
    firstTokenAtMs: null,
    endedAtMs: plannedAtMs + latencyMs,
    inputTokens: 0,
    outputTokens: 0,
    tokenGapsMs: [],
    bytes: 100,
    replica: null,
    arrivedAtMs: null,
    queueMs: null,
    upstreamMs: null,
    tries: null,
    ...own,
  };
}

/** No SLO at all. */
export const noSlos: Summary['slos'] = {
  latencyMs: null,
  timeToFirstTokenMs: null,
  interTokenMs: null,
  timePerOutputTokenMs: null,
};

/** A run of no particular target. */
export const plainFacts: RunFacts = {
  run: {
    name: 'a-run',
    target: 'gateway',
    seed: 7,
    startedAt: '2026-11-25T03:14:00.000Z',
    isSimulated: false,
    environment: {
      headgate: '0.1.0',
      node: 'v26.10.0',
      gitCommit: null,
      platform: 'linux x64',
      processor: 'a processor',
      processorCount: 2,
      memoryBytes: 8 * 1024 ** 3,
    },
  },
  slos: noSlos,
  warmUpMs: 0,
  untilMs: null,
  bands: [],
  health: { unsent: 0, ownLimit: null, eventLoopDelayP99Ms: null, wasInterrupted: false },
};

/** A tally of some records. */
export function tallyOf(records: Iterable<RequestRecord>, options: Partial<TallyOptions> = {}): Tally {
  const tally = new Tally({ slos: noSlos, warmUpMs: 0, sampleSize: 100, rng: seededRng(1), ...options });
  for (const one of records) tally.add(one);
  return tally;
}

/** What some records amount to. */
export function summaryOf(records: Iterable<RequestRecord>, facts: Partial<RunFacts> = {}): Summary {
  const all = { ...plainFacts, ...facts };
  return summarize(tallyOf(records, { slos: all.slos, warmUpMs: all.warmUpMs }), all);
}

/** A draw from the standard normal distribution (Box and Muller). */
export function normal(rng: Rng): number {
  return Math.sqrt(-2 * Math.log(1 - rng.next())) * Math.cos(2 * Math.PI * rng.next());
}

/** A latency of some median with the long tail that queues have. */
export function lognormalMs(rng: Rng, medianMs: number, sigma = 1): number {
  return medianMs * Math.exp(sigma * normal(rng));
}

const faultOutcomes = ['upstream_error', 'timeout', 'unreachable'] as const satisfies readonly Outcome[];

/**
 * A run of streams with a fault in its middle third: one replica slow, then errors. Makes everything a report can show.
 */
export function* faultyRun({
  seed,
  seconds,
  perSecond,
}: {
  seed: number;
  seconds: number;
  perSecond: number;
}): Generator<RequestRecord> {
  const rng = seededRng(seed);
  for (let index = 0; index < seconds * perSecond; index++) {
    const plannedAtMs = (index * 1000) / perSecond;
    const share = plannedAtMs / (seconds * 1000);
    const isSlow = share > 0.33 && share < 0.5;
    const isFailing = share > 0.6 && share < 0.7;
    const sentAtMs = plannedAtMs + rng.next() * 0.4;
    const queueMs = rng.next() * (isSlow ? 60 : 6);
    const upstreamMs = lognormalMs(rng, 40, 0.35) * (isSlow ? 2.2 : 1);
    const headAtMs = sentAtMs + queueMs + upstreamMs + 0.3 + rng.next();
    const tokenGapsMs = Array.from({ length: 1 + rng.below(12) }, () => lognormalMs(rng, 9, 0.3) * (isSlow ? 1.6 : 1));
    const endedAtMs = headAtMs + tokenGapsMs.reduce((sum, gapMs) => sum + gapMs, 0);
    const outcome = faultyOutcome(rng, isSlow, isFailing);
    const times =
      outcome === 'ok' ? { firstByteAtMs: headAtMs, firstTokenAtMs: headAtMs, endedAtMs } : { endedAtMs: sentAtMs + 3 };
    const answered =
      outcome === 'ok'
        ? { tokenGapsMs, outputTokens: tokenGapsMs.length + 1, inputTokens: 200, queueMs, upstreamMs }
        : {};
    const replica = outcome === 'unreachable' ? null : `pool/${['gpu-a', 'gpu-b', 'gpu-c'][rng.below(7) % 3]}`;
    yield record({
      index,
      plannedAtMs,
      sentAtMs,
      outcome,
      replica,
      tries: rng.next() < 0.04 ? 2 : 1,
      ...times,
      ...answered,
    });
  }
}

function faultyOutcome(rng: Rng, isSlow: boolean, isFailing: boolean): Outcome {
  const draw = rng.next();
  if (isFailing && draw < 0.35) return faultOutcomes[rng.below(3)] ?? 'timeout';
  if (isSlow && draw < 0.12) return draw < 0.08 ? 'shed' : 'limited';
  return draw < 0.01 ? 'cancelled' : 'ok';
}
