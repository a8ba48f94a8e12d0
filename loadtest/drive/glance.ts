import { DurationHistogram, type EncodedHistogram } from '../measure/histogram.ts';
import { durationsOf, type RequestRecord } from '../measure/record.ts';
import type { DriveState } from './drive.ts';

/** How a run gets on: where it stands, and what has ended since the last look. */
export interface Glance extends DriveState {
  readonly ended: number;
  readonly notOk: number;
  /** Of those that were answered. */
  readonly latency: EncodedHistogram;
}

/** Two digits are enough for a line that is gone after half a second. */
const digits = 2;

/** Gathers what the next look is to see. */
export class Glances {
  #latency = new DurationHistogram(digits);
  #ended = 0;
  #notOk = 0;

  add(record: RequestRecord): void {
    this.#ended += 1;
    if (record.outcome === 'ok') this.#latency.record(durationsOf(record).latencyMs);
    else this.#notOk += 1;
  }

  /** A look; the next one sees what comes from here on. */
  take(state: DriveState): Glance {
    const glance = { ...state, ended: this.#ended, notOk: this.#notOk, latency: this.#latency.encode() };
    this.#latency = new DurationHistogram(digits);
    this.#ended = 0;
    this.#notOk = 0;
    return glance;
  }
}

/** What several processes are seen to do, taken together. */
export function glanceOfAll(glances: readonly Glance[]): Glance {
  const sum = (key: 'sent' | 'underWay' | 'ended' | 'notOk'): number =>
    glances.reduce((soFar, glance) => soFar + glance[key], 0);
  const latency = new DurationHistogram(digits);
  for (const glance of glances) latency.add(DurationHistogram.decode(glance.latency, digits));
  return {
    sent: sum('sent'),
    underWay: sum('underWay'),
    ended: sum('ended'),
    notOk: sum('notOk'),
    latency: latency.encode(),
  };
}

/** The latencies that a look has seen. */
export function latencyOf({ latency }: Glance): DurationHistogram {
  return DurationHistogram.decode(latency, digits);
}
