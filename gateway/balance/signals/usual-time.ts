import type { Clock } from '../../kernel/clock.ts';
import { SampleMean } from './sample-mean.ts';

/** Small enough that a replica which was lucky for a while is not taken for a fast one. */
const sampleShare = 0.03;

/** For so long after a replica has told its service times, what is measured from here is left aside: waiting and the network are in it. */
const toldMs = 10_000;

/** Prices that differ by less are the same: noise must not decide. */
const stepRatio = 1.25;
const stepLog = Math.log(stepRatio);

/** Before there are so many of both, what is told is not compared with what is measured. */
const fewestCompared = 10;

/** Nobody works longer on a request than it takes; but for what both means sway. */
const mostToldShare = 1.25;
/** And who works less than that on it must say where the rest of the time went, in which nothing else was ahead. */
const leastToldShare = 1 / 1.75;
/** The network, and a process that is busy with others, take some time that is no lie. */
const unaskedMs = 20;

/** How long a replica takes for a usual request once it has begun: as it tells, while that can be; else as answers take that come. */
export class UsualTime {
  readonly #clock: Clock;
  readonly #told = new SampleMean(sampleShare);
  readonly #measured = new SampleMean(sampleShare);
  readonly #onDoubt: (toldMs: number, measuredMs: number) => void;
  #steppedMs = 0;
  #toldUntilMs = Number.NEGATIVE_INFINITY;
  #isDoubted = false;

  /** `onDoubt` is called when what it tells can no longer be. */
  constructor(clock: Clock, onDoubt: (toldMs: number, measuredMs: number) => void) {
    this.#clock = clock;
    this.#onDoubt = onDoubt;
  }

  /** The replica's own word, of an answer that took so long. */
  tell(serviceMs: number, elapsedMs: number): void {
    if (serviceMs > elapsedMs * mostToldShare + unaskedMs) {
      this.#onDoubt(serviceMs, elapsedMs);
      return;
    }
    this.#toldUntilMs = this.#clock.nowMs() + toldMs;
    this.#told.add(serviceMs);
    if (!this.#isDoubted) this.#step(this.#told);
  }

  /** From sending until the answer, what was waited for taken off. Counts where the replica does not tell itself, or what it tells cannot be. */
  measure(serviceMs: number): void {
    this.#measured.add(serviceMs);
    const isToldLately = this.#clock.nowMs() < this.#toldUntilMs;
    if (isToldLately) this.#compare();
    if (!isToldLately || this.#isDoubted) this.#step(this.#measured);
  }

  get isKnown(): boolean {
    return this.#told.isKnown || this.#measured.isKnown;
  }

  /** The mean, in steps of a quarter. */
  get steppedMs(): number {
    return this.#steppedMs;
  }

  #compare(): void {
    if (this.#told.count < fewestCompared || this.#measured.count < fewestCompared) return;
    const [told, measured] = [this.#told.mean, this.#measured.mean];
    const isTooLong = told > measured * mostToldShare + unaskedMs;
    const isTooShort = told < measured * leastToldShare && measured - told > unaskedMs;
    const was = this.#isDoubted;
    this.#isDoubted = isTooLong || isTooShort;
    if (this.#isDoubted && !was) this.#onDoubt(told, measured);
  }

  #step({ mean }: SampleMean): void {
    this.#steppedMs = Math.exp(Math.round(Math.log(Math.max(mean, 0.001)) / stepLog) * stepLog);
  }
}
