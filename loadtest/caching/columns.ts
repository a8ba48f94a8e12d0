/** How answers are kept. */
export interface Keeping {
  /** Of what all answers that differ would take. */
  readonly memoryShare: number;
  readonly freshMs: number;
  /** By the gateway's key, or by the bytes of the request's body. */
  readonly by: 'key' | 'bytes';
}

const always: Keeping = { memoryShare: 1, freshMs: Number.POSITIVE_INFINITY, by: 'key' };

/** The ways to keep answers that are compared, under the names the table has for them. */
export const columns: Readonly<Record<string, Keeping>> = {
  'memory for 1 %': { ...always, memoryShare: 0.01 },
  'for 10 %': { ...always, memoryShare: 0.1 },
  'for all': always,
  'for all, fresh for 10 min': { ...always, freshMs: 600_000 },
  'for all, bodies byte for byte': { ...always, by: 'bytes' },
  'no memory, flights shared': { ...always, memoryShare: 0 },
};
