/** How busy a simulated server is at one moment, and what it has done so far: what all dialects are written from. */
export interface Load {
  /** What it works on at once, at most. */
  readonly slots: number;
  readonly running: number;
  readonly waiting: number;
  readonly kv: KvLoad;
  readonly done: Readonly<Done>;
}

/** The cache of keys and values, in tokens. All zero for servers without one. */
export interface KvLoad {
  readonly blockTokens: number;
  readonly capacityTokens: number;
  /** What running sequences hold; what is merely remembered can be had back at once and does not count, as in vLLM. */
  readonly heldTokens: number;
}

/** Sums since the start. */
export interface Done {
  succeeded: number;
  refused: number;
  /** Left by their clients. */
  abandoned: number;
  rows: number;
  promptTokens: number;
  /** Of those, what was found in the prefix cache. */
  cachedTokens: number;
  generatedTokens: number;
  waitMs: number;
  serviceMs: number;
}

/** Nothing done yet. */
export function nothingDone(): Done {
  return {
    succeeded: 0,
    refused: 0,
    abandoned: 0,
    rows: 0,
    promptTokens: 0,
    cachedTokens: 0,
    generatedTokens: 0,
    waitMs: 0,
    serviceMs: 0,
  };
}

/**
 * What computes, as a thing of pure time: it is told what time it is, and nothing in it waits. Between two instants at which it is
 * asked for something, everything happens exactly when it falls due, however late it is told.
 */
export interface Engine {
  /** When it next has something to do; Infinity for nothing. */
  readonly nextAtMs: number;
  /** Does everything that falls due up to `nowMs`, in order. */
  advance(nowMs: number): void;
  load(): Load;
}
