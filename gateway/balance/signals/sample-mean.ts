/** A mean in which each sample counts a fixed share of what is known, and the first ones as much as they are of all. */
export class SampleMean {
  readonly #share: number;
  #count = 0;
  #mean = 0;

  /** `share` of 0.03 forgets all but 5 % of a sample after a hundred more. */
  constructor(share: number) {
    this.#share = share;
  }

  add(sample: number): void {
    this.#count += 1;
    this.#mean += Math.max(this.#share, 1 / this.#count) * (sample - this.#mean);
  }

  /** 0 while there was no sample. */
  get mean(): number {
    return this.#mean;
  }

  get count(): number {
    return this.#count;
  }

  get isKnown(): boolean {
    return this.#count > 0;
  }
}
