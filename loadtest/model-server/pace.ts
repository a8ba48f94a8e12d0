/** A time in which everything takes longer: `by` times as long, or for ever where that is Infinity. */
export interface Slowing {
  readonly atMs: number;
  /** Infinity for no end. */
  readonly untilMs: number;
  readonly by: number;
}

interface Segment {
  readonly untilMs: number;
  readonly factor: number;
}

/** How fast a server goes at each moment. Work under way is slowed as well, as it is on a machine that is throttled or stopped. */
export class Pace {
  /** In the order of time, without a gap; the last has no end. */
  readonly #segments: readonly Segment[];
  /** Nothing ever slows it. */
  readonly #isEven: boolean;

  constructor(slowings: readonly Slowing[]) {
    const instants = slowings.flatMap(({ atMs, untilMs }) => [atMs, untilMs]);
    const ends = [...new Set([...instants.filter((one) => one > 0), Number.POSITIVE_INFINITY])].toSorted(
      (a, b) => a - b,
    );
    this.#segments = ends.map((endMs, at) => {
      const fromMs = ends[at - 1] ?? 0;
      const during = slowings.filter((one) => one.atMs <= fromMs && one.untilMs >= endMs);
      return { untilMs: endMs, factor: during.reduce((factor, { by }) => factor * by, 1) };
    });
    this.#isEven = this.#segments.every(({ factor }) => factor === 1);
  }

  /** When work that would take `workMs` by itself is done. Infinity for never. */
  endAtMs(startAtMs: number, workMs: number): number {
    if (this.#isEven) return startAtMs + workMs;
    let atMs = startAtMs;
    let leftMs = workMs;
    for (const { untilMs, factor } of this.#segments) {
      if (untilMs <= atMs) continue;
      const roomMs = factor === Number.POSITIVE_INFINITY ? -1 : (untilMs - atMs) / factor;
      if (leftMs <= roomMs) return atMs + leftMs * factor;
      leftMs -= Math.max(0, roomMs);
      atMs = untilMs;
    }
    return Number.POSITIVE_INFINITY;
  }
}
