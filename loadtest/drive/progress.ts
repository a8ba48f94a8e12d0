import { describeCount, describeInstant, describeMs, describeRate } from '../report/wording.ts';
import { type Glance, latencyOf } from './glance.ts';

/** Tells how a run gets on, a line each time somebody looks. */
export class Progress {
  readonly #title: string;
  readonly #forMs: number | null;
  #lastSent = 0;
  #lastAtMs = 0;

  constructor(title: string, forMs: number | null) {
    this.#title = title;
    this.#forMs = forMs;
  }

  line(glance: Glance, atMs: number): string {
    const { sent, underWay, ended, notOk } = glance;
    const latency = latencyOf(glance);
    const rate = ((sent - this.#lastSent) * 1000) / Math.max(1, atMs - this.#lastAtMs);
    this.#lastSent = sent;
    this.#lastAtMs = atMs;
    const passed = describeInstant(Math.round(atMs / 1000) * 1000);
    const isOver = this.#forMs !== null && atMs > this.#forMs;
    const whole = this.#forMs === null ? '' : isOver ? ', waits for answers' : ` of ${describeInstant(this.#forMs)}`;
    return [
      `${this.#title}: ${passed}${whole}`,
      `${describeRate(rate)} sent`,
      `${describeCount(underWay)} under way`,
      `${describeCount(ended)} ended, ${describeCount(notOk)} of them not ok`,
      `p50 ${describeMs(latency.quantileMs(0.5))}, p99 ${describeMs(latency.quantileMs(0.99))}`,
    ].join(' · ');
  }
}
