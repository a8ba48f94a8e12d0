/** How a request ended. Only `ok` answers in full and in time; the others are told apart, since each has its own remedy. */
export const outcomes = [
  'ok',
  /** Refused for load: 503. */
  'shed',
  /** Refused by a limit: 429. */
  'limited',
  'upstream_error',
  'timeout',
  /** Left by the client, as its scenario wanted. */
  'cancelled',
  'unreachable',
  /** Sent, and without an end when the run was over. */
  'unfinished',
] as const;

/** One of the ways in which a request ends. */
export type Outcome = (typeof outcomes)[number];

/** What is known of one request once it has ended. All instants are milliseconds since the start of the run, on one clock. */
export interface RequestRecord {
  readonly index: number;
  readonly target: string;
  readonly outcome: Outcome;
  readonly status: number | null;
  /** When the schedule wanted it sent: latency counts from here. */
  readonly plannedAtMs: number;
  readonly sentAtMs: number;
  readonly firstByteAtMs: number | null;
  /** Null for an answer that is no stream of tokens. */
  readonly firstTokenAtMs: number | null;
  readonly endedAtMs: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Between one token and the next; one fewer than there were tokens. */
  readonly tokenGapsMs: readonly number[];
  readonly bytes: number;
  /** As the answer names it; null where it names none. */
  readonly replica: string | null;
  /** When a simulated server says that it came, by that server's clock; null for any other. With the two below it can be held to queueing theory. */
  readonly arrivedAtMs: number | null;
  readonly queueMs: number | null;
  readonly upstreamMs: number | null;
  /** How many sends to a replica it took; 0 for an answer from a cache. */
  readonly tries: number | null;
}

/** What became of one request's time. */
export interface Durations {
  /** From the planned send to the end: what somebody waits who comes when the schedule says. */
  readonly latencyMs: number;
  /** From the actual send to the end. */
  readonly serviceMs: number;
  /** From the planned send to the actual one: the generator's own fault. */
  readonly scheduleLagMs: number;
  /** From the planned send; null for an answer that is no stream. */
  readonly timeToFirstTokenMs: number | null;
  /** (E2E - TTFT) / (tokens - 1); null for fewer than two tokens, where it has no meaning. */
  readonly timePerOutputTokenMs: number | null;
}

/** Takes a record's instants apart. */
export function durationsOf(record: RequestRecord): Durations {
  const { plannedAtMs, sentAtMs, firstTokenAtMs, endedAtMs, outputTokens } = record;
  return {
    latencyMs: endedAtMs - plannedAtMs,
    serviceMs: endedAtMs - sentAtMs,
    // A send may come a hair early by the rounding of a timer, which is no lag.
    scheduleLagMs: Math.max(0, sentAtMs - plannedAtMs),
    timeToFirstTokenMs: firstTokenAtMs === null ? null : firstTokenAtMs - plannedAtMs,
    timePerOutputTokenMs:
      firstTokenAtMs === null || outputTokens < 2 ? null : (endedAtMs - firstTokenAtMs) / (outputTokens - 1),
  };
}
