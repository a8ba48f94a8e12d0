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
  /** Of its cache of keys and values, what running requests hold: 0 to 1. */
  readonly kvUsedShare: number | null;
  /** How busy it is by a measure of its own: 1 is full, and more is possible. */
  readonly utilisationShare: number | null;
  readonly requestsPerSecond: number | null;
  readonly errorsPerSecond: number | null;
}

/** A report that says nothing. */
export const silence: LoadReport = Object.freeze({
  slots: null,
  inFlight: null,
  queued: null,
  serviceSeconds: null,
  kvUsedShare: null,
  utilisationShare: null,
  requestsPerSecond: null,
  errorsPerSecond: null,
});

/** How a report came: with the answer to a request, from a metrics page, or with the answer to a health check. */
export type ReportSource = 'reply' | 'scrape' | 'probe';
