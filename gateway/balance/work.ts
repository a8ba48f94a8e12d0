/** What a request will cost a replica, and where it belongs, as far as the request itself tells. Policies and signals see this and nothing else of it. */
export interface Work {
  /** Items to compute: the first dimension of the first input tensor, or 1 where the protocol has none. */
  readonly rows: number;
  /** Of its prompt, estimated from its size; null where it has none. */
  readonly inputTokens: number | null;
  /** As many as the request lets be generated; null where it sets no limit. */
  readonly outputTokensExpected: number | null;
  /** A hash of the prompt up to each of some places, the shortest beginning first: where two have one in common, the prompts are the same up to there. Null where nobody goes by it. */
  readonly prefix: readonly number[] | null;
  /** What requests that belong to one session have in common; null for none, or where nobody goes by it. */
  readonly sessionKey: string | null;
}

/** What says which requests belong together. */
export type AffinityKeys = Pick<Work, 'prefix' | 'sessionKey'>;
