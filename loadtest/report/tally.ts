import type { Rng } from '../../gateway/kernel/rng.ts';
import { DurationHistogram } from '../measure/histogram.ts';
import { durationsOf, type Outcome, outcomes, type RequestRecord } from '../measure/record.ts';
import { Sample } from './sample.ts';
import { isGood, type Slos } from './slos.ts';
import { noOutcomes, TimeLine } from './time-line.ts';

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
  readonly spent = { count: 0, lagMs: 0, queueMs: 0, upstreamMs: 0, gatewayMs: 0, bodyMs: 0 };
  readonly counts = { warmUp: 0, good: 0, sends: 0, toldSends: 0, inputTokens: 0, outputTokens: 0, records: 0 };
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

  merge(other: Tally): void {
    for (const outcome of outcomes) {
      this.outcomes[outcome] += other.outcomes[outcome];
      this.latency[outcome].add(other.latency[outcome]);
    }
    for (const key of ['service', 'scheduleLag', 'timeToFirstToken', 'interToken', 'timePerOutputToken'] as const)
      this[key].add(other[key]);
    addNumbers(this.spent, other.spent);
    addNumbers(this.counts, other.counts);
    for (const [name, { requests, latency }] of other.replicas) {
      const replica = this.#replica(name);
      replica.requests += requests;
      replica.latency.add(latency);
    }
    this.lastPlannedAtMs = Math.max(this.lastPlannedAtMs, other.lastPlannedAtMs);
    this.timeLine.merge(other.timeLine);
    this.sample.merge(other.sample);
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
