/** What one sequence holds of the pool. */
export interface Held {
  /** Keys of the blocks it shares with everybody, in the order of its prompt. */
  readonly shared: number[];
  /** Blocks of its own: what is not computed yet, and what is generated. */
  own: number;
}

/**
 * The cache of keys and values in blocks of tokens, with the prefix cache on top, as in vLLM: a block that nobody holds any more
 * stays findable by its key until its room is needed, and the one that was let go longest ago goes first.
 */
export class BlockPool {
  readonly capacity: number;
  /** How many sequences hold each block that is findable. */
  readonly #holders = new Map<number, number>();
  /** Findable and held by nobody, the one to go first in front: a Set keeps the order of entry. */
  readonly #idle = new Set<number>();
  #own = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** Blocks that sequences hold, each counted once however many share it. */
  get held(): number {
    return this.#own + this.#holders.size - this.#idle.size;
  }

  /** How many of the first blocks of a prompt are there. At least one token must be computed, so a prompt that ends with its last block does not find that. */
  hits(blocks: readonly number[], promptIsWhole: boolean): number {
    const most = promptIsWhole ? blocks.length - 1 : blocks.length;
    let count = 0;
    while (count < most && this.#holders.has(blocks[count] ?? Number.NaN)) count += 1;
    return count;
  }

  /** Holds the first `hits` blocks of a prompt and `total - hits` new ones, or gives null where there is no room for them. */
  hold(blocks: readonly number[], hits: number, total: number): Held | null {
    const shared = blocks.slice(0, hits);
    const idleHits = shared.reduce((count, key) => count + (this.#idle.has(key) ? 1 : 0), 0);
    const own = total - hits;
    if (this.held + idleHits + own > this.capacity) return null;
    for (const key of shared) {
      this.#idle.delete(key);
      this.#holders.set(key, (this.#holders.get(key) ?? 0) + 1);
    }
    this.#own += own;
    this.#evict();
    return { shared, own };
  }

  /** The prompt has been computed: its blocks can be found from now on. One that somebody else computed meanwhile stays a block of its own. */
  publish(held: Held, blocks: readonly number[]): void {
    for (const key of blocks.slice(held.shared.length)) {
      if (this.#holders.has(key)) continue;
      this.#holders.set(key, 1);
      held.shared.push(key);
      held.own -= 1;
      this.#own -= 1;
    }
  }

  /** The end of a sequence. The last block of its prompt is let go first, so that the beginning, which more prompts share, stays longest. */
  release(held: Held): void {
    this.#own -= held.own;
    for (const key of held.shared.toReversed()) {
      const holders = (this.#holders.get(key) ?? 1) - 1;
      this.#holders.set(key, holders);
      if (holders === 0) this.#idle.add(key);
    }
  }

  #evict(): void {
    for (const key of this.#idle) {
      if (this.#own + this.#holders.size <= this.capacity) return;
      this.#idle.delete(key);
      this.#holders.delete(key);
    }
  }
}
