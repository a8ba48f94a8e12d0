import { DurationHistogram } from '../measure/histogram.ts';
import { durationsOf, type RequestRecord } from '../measure/record.ts';
import { describeCount, describeInstant, describeMs, describeRate } from '../report/wording.ts';
import type { DriveState } from './drive.ts';

/** How a run gets on, from one look to the next. */
export class Progress {
  readonly #title: string;
  readonly #forMs: number | null;
  #latency = new DurationHistogram(2);
  #ended = 0;
  #notOk = 0;
  #lastSent = 0;
  #lastAtMs = 0;

  constructor(title: string, forMs: number | null) {
    this.#title = title;
    this.#forMs = forMs;
  }

  add(record: RequestRecord): void {
    this.#ended += 1;
    if (record.outcome === 'ok') this.#latency.record(durationsOf(record).latencyMs);
    else this.#notOk += 1;
  }

  /** One line on what was since the last one. */
  line({ sent, underWay }: DriveState, atMs: number): string {
    const latency = this.#latency;
    const rate = ((sent - this.#lastSent) * 1000) / Math.max(1, atMs - this.#lastAtMs);
    const whole = this.#forMs === null ? '' : ` of ${describeInstant(this.#forMs)}`;
    const parts = [
      `${this.#title}: ${describeInstant(Math.round(atMs / 1000) * 1000)}${whole}`,
      `${describeRate(rate)} sent`,
      `${describeCount(underWay)} under way`,
      `${describeCount(this.#ended)} ended, ${describeCount(this.#notOk)} of them not ok`,
      `p50 ${describeMs(latency.quantileMs(0.5))}, p99 ${describeMs(latency.quantileMs(0.99))}`,
    ];
    this.#latency = new DurationHistogram(2);
    this.#lastSent = sent;
    this.#lastAtMs = atMs;
    return parts.join(' · ');
  }
}
