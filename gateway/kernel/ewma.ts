import type { Clock } from './clock.ts';

interface Options {
  /** What was seen so long ago counts 1/e of what is seen now. */
  readonly memoryMs: number;
  readonly clock: Clock;
}

/** A mean over time of something that is looked at now and then: each look stands for the time since the one before, and older ones count less. */
export class Ewma {
  readonly #options: Options;
  #sum = 0;
  #weight = 0;
  #seenAtMs: number;

  constructor(options: Options) {
    this.#options = options;
    this.#seenAtMs = options.clock.nowMs();
  }

  add(value: number): void {
    const nowMs = this.#options.clock.nowMs();
    const kept = Math.exp((this.#seenAtMs - nowMs) / this.#options.memoryMs);
    this.#seenAtMs = nowMs;
    this.#sum = this.#sum * kept + value * (1 - kept);
    this.#weight = this.#weight * kept + (1 - kept);
  }

  /** 0 while nothing has been seen. */
  get mean(): number {
    return this.#weight === 0 ? 0 : this.#sum / this.#weight;
  }
}
