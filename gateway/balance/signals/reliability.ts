import type { Outcome } from '../signal.ts';

/** What one outcome counts of the share that failed. */
const sampleShare = 0.05;

/** A replica that gets nothing is forgiven: after so long half of what it has against it. */
const halfLifeMs = 10_000;

/** However much fails, a price is multiplied by this at most: to keep traffic away altogether is the gate's business. */
const dearest = 100;

/** Makes a replica dearer whose answers fail: by one over the square of the share that succeeds of late. */
export class Reliability {
  #failedShare = 0;
  #settledAtMs = 0;

  settle(as: Outcome, nowMs: number): void {
    if (as !== 'failed' && (as !== 'succeeded' || this.#failedShare === 0)) return;
    const share = this.#failedShareAt(nowMs);
    this.#settledAtMs = nowMs;
    this.#failedShare = share + sampleShare * ((as === 'failed' ? 1 : 0) - share);
    if (this.#failedShare < 0.001) this.#failedShare = 0;
  }

  /** From 1, where nothing fails, to 100. */
  factor(nowMs: number): number {
    if (this.#failedShare === 0) return 1;
    const succeeds = 1 - this.#failedShareAt(nowMs);
    return Math.min(dearest, 1 / (succeeds * succeeds));
  }

  #failedShareAt(nowMs: number): number {
    return this.#failedShare * 2 ** ((this.#settledAtMs - nowMs) / halfLifeMs);
  }
}
