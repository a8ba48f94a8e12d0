/** Keys of which those that were asked for longest ago go first: what other ways to forget are compared with. Equal entries, so that they are counted and not weighed. */
export class LeastRecentlyUsed {
  readonly #maxEntries: number;
  readonly #keys = new Set<string>();

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  /** Whether a key is there. It is from now on. */
  ask(key: string): boolean {
    const isHit = this.#keys.delete(key);
    this.#keys.add(key);
    if (this.#keys.size > this.#maxEntries) this.#keys.delete(this.#keys.values().next().value ?? '');
    return isHit;
  }
}
