/** A pending call; cancelling one that has run, or cancelling twice, does nothing. */
export interface Timer {
  cancel(): void;
}

/** Where time comes from. Everything that waits or measures takes one, so that the whole request path runs in simulation. */
export interface Clock {
  /** Milliseconds since an arbitrary origin; never goes back. For durations, deadlines and every `...AtMs` that is not said to be wall time. */
  nowMs(): number;
  /** Milliseconds since 1970 as the machine believes; may jump. Only for what people and other machines read. */
  wallMs(): number;
  after(delayMs: number, call: () => void): Timer;
  sleep(delayMs: number): Promise<void>;
}
