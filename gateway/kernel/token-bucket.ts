import type { Clock } from './clock.ts';

interface Options {
  readonly ratePerSecond: number;
  /** What it holds at most, and at the start. */
  readonly burst: number;
  readonly clock: Clock;
}

/** So many a second, and a few at once after a pause. */
export class TokenBucket {
  readonly #options: Options;
  #tokens: number;
  #filledAtMs: number;

  constructor(options: Options) {
    this.#options = options;
    this.#tokens = options.burst;
    this.#filledAtMs = options.clock.nowMs();
  }

  /** Takes one, where there is one. */
  take(): boolean {
    const { ratePerSecond, burst, clock } = this.#options;
    const nowMs = clock.nowMs();
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#filledAtMs) * ratePerSecond) / 1000);
    this.#filledAtMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
