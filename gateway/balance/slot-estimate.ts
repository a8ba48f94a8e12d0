import { SampleMean } from './signals/sample-mean.ts';

/** Small, so that chance does not show: the least of a mean that sways is less than any real one. */
const sampleShare = 0.01;

/** After so long without the like of it, the most counts half, and the least twice: what a replica can do may change. */
const halfLifeMs = 3_600_000;

/** So that nothing is divided by nothing. */
const tiniestMs = 0.001;

/** Before there are so many, a mean is as good as chance. */
const fewestAnswers = 100;

/**
 * How many requests a replica that does not say so works on at once, by Little's law: what it has answered at most in a time, by how long an
 * answer takes at least. Without load this is what it was used for, with it what it can do. As BBR has it of a network's path (Cardwell et al., 2016).
 */
export class SlotEstimate {
  readonly #gapMs = new SampleMean(sampleShare);
  readonly #tookMs = new SampleMean(sampleShare);
  #answers = 0;
  #mostPerMs = 0;
  #leastMs = Number.POSITIVE_INFINITY;
  #learnedAtMs = Number.NEGATIVE_INFINITY;

  /** A request was answered whole; `ofAll` is our share of what the replica had in it then. */
  learn(tookMs: number, ofAll: number, nowMs: number): void {
    const gapMs = nowMs - this.#learnedAtMs;
    this.#learnedAtMs = nowMs;
    // Behind the first one there is no gap.
    if (gapMs === Number.POSITIVE_INFINITY) return;
    this.#gapMs.add(gapMs * ofAll);
    this.#tookMs.add(tookMs);
    this.#answers += 1;
    if (!this.isKnown) return;
    const kept = 2 ** (-gapMs / halfLifeMs);
    this.#mostPerMs = Math.max(1 / Math.max(this.#gapMs.mean, tiniestMs), this.#mostPerMs * kept);
    this.#leastMs = Math.min(Math.max(this.#tookMs.mean, tiniestMs), this.#leastMs / kept);
  }

  get isKnown(): boolean {
    return this.#answers >= fewestAnswers;
  }

  /** At least 1, which it is as long as nothing is known. */
  get slots(): number {
    return this.isKnown ? Math.max(1, this.#mostPerMs * this.#leastMs) : 1;
  }
}
