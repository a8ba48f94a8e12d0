import type { Clock } from '../../kernel/clock.ts';
import { SampleMean } from './sample-mean.ts';

/** Small enough that a replica which was lucky for a while is not taken for a fast one. */
const sampleShare = 0.03;

/** For so long after a replica has told its service times, what is measured from here is left aside: waiting and the network are in it. */
const toldMs = 10_000;

/** Prices that differ by less are the same: noise must not decide. */
const stepRatio = 1.25;
const stepLog = Math.log(stepRatio);

/** How long a replica takes for a usual request once it has begun: as it tells, else as answers take that come. */
export class UsualTime {
  readonly #clock: Clock;
  readonly #mean = new SampleMean(sampleShare);
  #steppedMs = 0;
  #toldUntilMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The replica's own word. */
  tell(serviceMs: number): void {
    this.#toldUntilMs = this.#clock.nowMs() + toldMs;
    this.#learn(serviceMs);
  }

  /** From sending until the answer, what was waited for taken off; passed over where the replica tells itself. */
  measure(serviceMs: number): void {
    if (this.#clock.nowMs() >= this.#toldUntilMs) this.#learn(serviceMs);
  }

  get isKnown(): boolean {
    return this.#mean.isKnown;
  }

  /** The mean, in steps of a quarter. */
  get steppedMs(): number {
    return this.#steppedMs;
  }

  #learn(serviceMs: number): void {
    this.#mean.add(serviceMs);
    this.#steppedMs = Math.exp(Math.round(Math.log(Math.max(this.#mean.mean, 0.001)) / stepLog) * stepLog);
  }
}
