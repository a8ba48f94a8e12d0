/** What a schedule is like: how many requests a second, and how much of their spacing is chance. */
export interface GapStatistics {
  readonly meanPerSecond: number;
  /** Squared coefficient of variation of the gaps: 0 for even ones, 1 for Poisson, more for bursts. */
  readonly variation: number;
  readonly isInOrder: boolean;
  readonly distinctInstants: number;
}

/** Statistics of instants in milliseconds. */
export function gapStatistics(instantsMs: readonly number[]): GapStatistics {
  const gaps = instantsMs.slice(1).map((atMs, at) => atMs - (instantsMs[at] ?? 0));
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
  return {
    meanPerSecond: 1000 / mean,
    variation: variance / mean ** 2,
    isInOrder: gaps.every((gap) => gap >= 0),
    distinctInstants: new Set(instantsMs).size,
  };
}

/** The share of the blocks of some prompts that an unbounded prefix cache has seen before: each with everything in front of it. */
export function prefixReuse<Block>(prompts: Iterable<readonly Block[]>): number {
  interface Place {
    readonly next: Map<Block, Place>;
  }
  const start: Place = { next: new Map() };
  let blocks = 0;
  let seen = 0;
  for (const prompt of prompts) {
    let place = start;
    for (const block of prompt) {
      const known = place.next.get(block);
      blocks += 1;
      if (known !== undefined) seen += 1;
      const next = known ?? { next: new Map<Block, Place>() };
      place.next.set(block, next);
      place = next;
    }
  }
  return seen / blocks;
}
