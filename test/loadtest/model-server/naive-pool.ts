/** One block: findable by its key, or somebody's own. */
export interface Block {
  readonly key: number | null;
  holders: number;
}

/** The same pool without any cleverness: a list of blocks, the one that was let go longest ago in front. */
export class NaivePool {
  blocks: Block[] = [];
  readonly capacity: number;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  hits(keys: readonly number[], isWhole: boolean): number {
    const most = isWhole ? keys.length - 1 : keys.length;
    const first = keys.findIndex((key, at) => at >= most || !this.blocks.some((block) => block.key === key));
    return first < 0 ? Math.max(0, most) : first;
  }

  hold(keys: readonly number[], hits: number, total: number): Block[] | null {
    const found = this.blocks.filter(({ key }) => key !== null && keys.slice(0, hits).includes(key));
    for (const block of found) block.holders += 1;
    const missing = this.blocks.length + total - hits - this.capacity;
    const idle = this.blocks.filter(({ holders }) => holders === 0).slice(0, Math.max(0, missing));
    if (idle.length < missing) {
      for (const block of found) block.holders -= 1;
      return null;
    }
    const own = Array.from({ length: total - hits }, (): Block => ({ key: null, holders: 1 }));
    this.blocks = [...this.blocks.filter((block) => !idle.includes(block)), ...own];
    return [...found.toSorted((a, b) => keys.indexOf(a.key ?? -1) - keys.indexOf(b.key ?? -1)), ...own];
  }

  publish(held: Block[], keys: readonly number[]): void {
    for (const key of keys) {
      if (this.blocks.some((block) => block.key === key)) continue;
      const at = held.findIndex((block) => block.key === null);
      const known = { key, holders: 1 };
      this.blocks[this.blocks.indexOf(held[at] as Block)] = known;
      held[at] = known;
    }
  }

  release(held: readonly Block[], keys: readonly number[]): void {
    this.blocks = this.blocks.filter((block) => !(block.key === null && held.includes(block)));
    for (const key of keys.toReversed()) {
      const block = held.find((one) => one.key === key);
      if (block === undefined) continue;
      block.holders -= 1;
      if (block.holders > 0) continue;
      this.blocks = [...this.blocks.filter((one) => one !== block), block];
    }
  }

  get held(): number {
    return this.blocks.filter(({ holders }) => holders > 0).length;
  }
}
