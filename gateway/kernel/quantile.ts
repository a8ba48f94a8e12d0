import type { Clock } from './clock.ts';

/** Each bucket begins this much above the one before: no answer is further off. */
const growth = 1.05;

/** Up to 0.05 ms times growth to this power: some two hours. */
const bucketCount = 385;
const firstMs = 0.05;

interface Options {
  readonly windowMs: number;
  /** With fewer, it does not say. */
  readonly fewestSamples: number;
  readonly clock: Clock;
}

/** A quantile of durations over a rolling window, to within 5 %: two histograms of geometric buckets, of which the older is emptied at every half of the window. */
export class RollingQuantile {
  readonly #options: Options;
  #current = new Uint32Array(bucketCount);
  #previous = new Uint32Array(bucketCount);
  #currentCount = 0;
  #previousCount = 0;
  #turnedAtMs: number;

  constructor(options: Options) {
    this.#options = options;
    this.#turnedAtMs = options.clock.nowMs();
  }

  add(durationMs: number): void {
    this.#turn();
    const at = Math.min(bucketCount - 1, Math.max(0, Math.ceil(Math.log(durationMs / firstMs) / Math.log(growth))));
    this.#current[at] = (this.#current[at] ?? 0) + 1;
    this.#currentCount += 1;
  }

  /** The upper end of the bucket that it falls in; null while there are too few samples. */
  of(quantile: number): number | null {
    this.#turn();
    const count = this.#currentCount + this.#previousCount;
    if (count < this.#options.fewestSamples) return null;
    let left = Math.ceil(quantile * count);
    for (let at = 0; at < bucketCount; at++) {
      left -= (this.#current[at] ?? 0) + (this.#previous[at] ?? 0);
      if (left <= 0) return firstMs * growth ** at;
    }
    return null;
  }

  #turn(): void {
    const { clock, windowMs } = this.#options;
    const passedMs = clock.nowMs() - this.#turnedAtMs;
    if (passedMs < windowMs / 2) return;
    const isEmpty = passedMs >= windowMs;
    [this.#current, this.#previous] = [this.#previous, this.#current];
    this.#previousCount = isEmpty ? 0 : this.#currentCount;
    if (isEmpty) this.#previous.fill(0);
    this.#current.fill(0);
    this.#currentCount = 0;
    this.#turnedAtMs = clock.nowMs();
  }
}
