/** One request of a trace. */
export interface TraceRow {
  /** Since the first row. */
  readonly atMs: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** An id for each block of `traceBlockTokens` prompt tokens, the last of which may be shorter; null where the trace does not say. */
  readonly blocks: Uint32Array | null;
}

/** The tokens of one block in traces that tell of prefixes (Mooncake, FAST '25). */
export const traceBlockTokens = 512;

/** Requests as somebody recorded them, in the order of their instants. */
export class Trace {
  readonly file: string;
  // Private, so that neither freezing nor printing a scenario goes through all rows.
  readonly #rows: readonly TraceRow[];

  /** There is at least one row. */
  constructor(file: string, rows: readonly TraceRow[]) {
    this.file = file;
    this.#rows = rows;
  }

  get size(): number {
    return this.#rows.length;
  }

  /** A row by its number, counted from 0; beyond the last they begin again. */
  row(index: number): TraceRow {
    const row = this.#rows[index % this.#rows.length];
    if (row === undefined) throw new RangeError(`a trace has no row ${index}`);
    return row;
  }

  /** The mean over the first `count` rows, or 0 where all of them are at one instant. */
  meanPerSecond(count: number = this.size): number {
    const lastAtMs = this.row(Math.min(count, this.size) - 1).atMs;
    return lastAtMs === 0 ? 0 : ((Math.min(count, this.size) - 1) / lastAtMs) * 1000;
  }
}
