/** What a replica says of its load, in the gateway's words. Null where it did not say. */
export interface LoadReport {
  /** Requests it works on at once. */
  readonly slots: number | null;
  /** Requests it has, waiting ones included. */
  readonly inFlight: number | null;
  /** Requests that wait inside it. */
  readonly queued: number | null;
  /** What the answered request took, waiting left out. */
  readonly serviceSeconds: number | null;
}
