import type { Rng } from '../../gateway/kernel/rng.ts';
import { DurationHistogram, type EncodedHistogram } from '../measure/histogram.ts';
import { durationsOf, type Outcome, outcomes, type RequestRecord } from '../measure/record.ts';
import { Sample, type Ticket } from './sample.ts';
import { isGood, type Slos } from './slos.ts';
import { type EncodedTimeLine, noOutcomes, TimeLine } from './time-line.ts';

/** What a tally needs to know before the first record. */
export interface TallyOptions {
  readonly slos: Slos;
  /** Requests planned before it are counted, shown in the series, and in no figure. */
  readonly warmUpMs: number;
  /** How many raw records to keep. */
  readonly sampleSize: number;
  readonly rng: Rng;
}

/** What one replica answered. */
export interface ReplicaTally {
  requests: number;
  readonly latency: DurationHistogram;
}

/** Sums of durations over some requests, and how many those are. */
export type Spent = Record<'count' | 'lagMs' | 'queueMs' | 'upstreamMs' | 'gatewayMs' | 'bodyMs', number>;

/** What is only counted. */
export type Counts = Record<
  'warmUp' | 'good' | 'sends' | 'toldSends' | 'inputTokens' | 'outputTokens' | 'records',
  number
>;

/** A tally as plain data. */
export interface EncodedTally {
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly spent: Readonly<Spent>;
  readonly counts: Readonly<Counts>;
  readonly lastPlannedAtMs: number;
  readonly histograms: readonly EncodedHistogram[];
  readonly replicas: readonly {
    readonly name: string;
    readonly requests: number;
    readonly latency: EncodedHistogram;
  }[];
  readonly timeLine: EncodedTimeLine;
  readonly sample: readonly Ticket[];
}

/**
 * The sums of all records of one target, which take the same memory for a thousand as for a million of them. Each process that sends has its own;
 * they merge into what one alone would have counted.
 */
export class Tally {
  readonly outcomes: Record<Outcome, number> = noOutcomes();
  readonly latency: Readonly<Record<Outcome, DurationHistogram>> = histogramsByOutcome();
  readonly service = new DurationHistogram();
  readonly scheduleLag = new DurationHistogram();
  readonly timeToFirstToken = new DurationHistogram();
  readonly interToken = new DurationHistogram();
  readonly timePerOutputToken = new DurationHistogram();
  readonly replicas = new Map<string, ReplicaTally>();
  /** Sums over the answered requests that told their time upstream. */
  readonly spent: Spent = { count: 0, lagMs: 0, queueMs: 0, upstreamMs: 0, gatewayMs: 0, bodyMs: 0 };
  readonly counts: Counts = { warmUp: 0, good: 0, sends: 0, toldSends: 0, inputTokens: 0, outputTokens: 0, records: 0 };
  readonly timeLine = new TimeLine();
  readonly sample: Sample;
  lastPlannedAtMs = 0;
  readonly #options: TallyOptions;

  constructor(options: TallyOptions) {
    this.#options = options;
    this.sample = new Sample(options.sampleSize, options.rng);
  }

  add(record: RequestRecord): void {
    const good = isGood(record, this.#options.slos);
    this.counts.records += 1;
    this.lastPlannedAtMs = Math.max(this.lastPlannedAtMs, record.plannedAtMs);
    this.sample.add(record);
    this.timeLine.add(record, good);
    if (record.plannedAtMs < this.#options.warmUpMs) {
      this.counts.warmUp += 1;
      return;
    }
    if (good) this.counts.good += 1;
    this.#addMeasured(record);
  }

  /** As plain data, which survives JSON, for the process that puts all together. */
  encode(): EncodedTally {
    const replicas = [...this.replicas].map(([name, { requests, latency }]) => ({
      name,
      requests,
      latency: latency.encode(),
    }));
    return {
      outcomes: this.outcomes,
      spent: this.spent,
      counts: this.counts,
      lastPlannedAtMs: this.lastPlannedAtMs,
      histograms: this.#histograms().map((histogram) => histogram.encode()),
      replicas,
      timeLine: this.timeLine.encode(),
      sample: this.sample.encode(),
    };
  }

  /** Adds what another process has counted under the same options. */
  merge(other: EncodedTally): void {
    addNumbers(this.outcomes, other.outcomes);
    addNumbers(this.spent, other.spent);
    addNumbers(this.counts, other.counts);
    this.lastPlannedAtMs = Math.max(this.lastPlannedAtMs, other.lastPlannedAtMs);
    for (const [at, histogram] of this.#histograms().entries()) {
      const added = other.histograms[at];
      if (added !== undefined) histogram.add(DurationHistogram.decode(added));
    }
    for (const { name, requests, latency } of other.replicas) {
      const replica = this.#replica(name);
      replica.requests += requests;
      replica.latency.add(DurationHistogram.decode(latency));
    }
    this.timeLine.merge(other.timeLine);
    this.sample.merge(other.sample);
  }

  /** All but those of the replicas, in an order that every tally shares. */
  #histograms(): DurationHistogram[] {
    const { service, scheduleLag, timeToFirstToken, interToken, timePerOutputToken } = this;
    return [
      ...outcomes.map((outcome) => this.latency[outcome]),
      service,
      scheduleLag,
      timeToFirstToken,
      interToken,
      timePerOutputToken,
    ];
  }

  #addMeasured(record: RequestRecord): void {
    const { outcome, replica, tries } = record;
    const { latencyMs, scheduleLagMs } = durationsOf(record);
    this.outcomes[outcome] += 1;
    this.latency[outcome].record(latencyMs);
    this.scheduleLag.record(scheduleLagMs);
    if (replica !== null) {
      const told = this.#replica(replica);
      told.requests += 1;
      if (outcome === 'ok') told.latency.record(latencyMs);
    }
    if (tries !== null) {
      this.counts.sends += tries;
      this.counts.toldSends += 1;
    }
    if (outcome === 'ok') this.#addAnswered(record);
  }

  #addAnswered(record: RequestRecord): void {
    const { serviceMs, timeToFirstTokenMs, timePerOutputTokenMs } = durationsOf(record);
    this.service.record(serviceMs);
    if (timeToFirstTokenMs !== null) this.timeToFirstToken.record(timeToFirstTokenMs);
    if (timePerOutputTokenMs !== null) this.timePerOutputToken.record(timePerOutputTokenMs);
    for (const gapMs of record.tokenGapsMs) this.interToken.record(gapMs);
    this.counts.inputTokens += record.inputTokens;
    this.counts.outputTokens += record.outputTokens;
    this.#addSpent(record);
  }

  /** What the answer's head told of queue and upstream lies before its first byte; the rest until there was spent between. */
  #addSpent({ plannedAtMs, sentAtMs, firstByteAtMs, endedAtMs, queueMs, upstreamMs }: RequestRecord): void {
    if (upstreamMs === null) return;
    const headAtMs = firstByteAtMs ?? endedAtMs;
    this.spent.count += 1;
    this.spent.lagMs += Math.max(0, sentAtMs - plannedAtMs);
    this.spent.queueMs += queueMs ?? 0;
    this.spent.upstreamMs += upstreamMs;
    this.spent.gatewayMs += headAtMs - sentAtMs - (queueMs ?? 0) - upstreamMs;
    this.spent.bodyMs += endedAtMs - headAtMs;
  }

  #replica(name: string): ReplicaTally {
    const known = this.replicas.get(name);
    if (known !== undefined) return known;
    const made = { requests: 0, latency: new DurationHistogram() };
    this.replicas.set(name, made);
    return made;
  }
}

function histogramsByOutcome(): Record<Outcome, DurationHistogram> {
  const entries = outcomes.map((outcome) => [outcome, new DurationHistogram()] as const);
  return Object.fromEntries(entries) as Record<Outcome, DurationHistogram>;
}

function addNumbers<Name extends string>(sums: Record<Name, number>, others: Readonly<Record<Name, number>>): void {
  for (const name of Object.keys(sums) as Name[]) sums[name] += others[name];
}
