/** One request, and what answers it. */
export interface Asked {
  readonly path: string;
  readonly body: Buffer;
  readonly answer: Buffer;
  /** What a replica takes for it. */
  readonly serviceMs: number;
}

/** Requests that come one after the other, by themselves: what clients ask does not wait for what is answered. */
export interface Workload {
  readonly title: string;
  /** Those that count. */
  readonly requests: number;
  /** Those before them, which do not. */
  readonly warmUp: number;
  readonly ratePerSecond: number;
  /** Of all answers that differ. */
  readonly answerBytes: Iterable<number>;
  /** All of them, the same on the same seed. */
  ask(seed: number): Iterable<Asked>;
}
