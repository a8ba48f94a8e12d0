import type { Trace } from '../arrivals/trace.ts';
import type { FaultSettings, PlacedServerSettings } from '../model-server/settings.ts';

/** One run of a load test, as a scenario file describes it: what is asked of whom, when, and what must come of it. */
export interface Scenario {
  readonly name: string;
  /** Everything that is left to chance follows from it. */
  readonly seed: number;
  readonly targets: readonly Target[];
  readonly arrivals: Arrivals;
  /** Requests are planned before this; null for no such end. This or `requests` is set, and whichever comes first ends the run. */
  readonly forMs: number | null;
  readonly requests: number | null;
  /** Requests planned before this are sent like all others and left out of the results. Lies within `forMs`. */
  readonly warmUpMs: number;
  readonly payloads: Payloads;
  readonly clients: Clients;
  readonly slos: Slos;
  readonly servers: readonly PlacedServerSettings[];
  readonly faults: readonly FaultSettings[];
  /** Each can be parsed by `parseAssertion`. */
  readonly asserts: readonly string[];
}

/** The protocols that requests can be made in. */
export type Protocol = 'openai' | 'open-inference';

/** What requests are sent to. All targets of a scenario speak one protocol. */
export interface Target {
  readonly name: string;
  /** Origin and path prefix, without a slash at the end: the path of a payload follows it. */
  readonly url: string;
  readonly protocol: Protocol;
  readonly model: string;
  /** Sent with every request; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** When requests are sent: at planned instants, as a trace has them, or each when another has ended. */
export type Arrivals =
  | { readonly kind: 'open'; readonly burstiness: Burstiness; readonly segments: readonly RateSegment[] }
  | { readonly kind: 'trace'; readonly trace: Trace; readonly speed: number; readonly limit: number | null }
  | { readonly kind: 'closed'; readonly concurrency: number };

/** The shape of gamma distributed gaps: 1 is Poisson, less is burstier, more is smoother, and `even` leaves nothing to chance. */
export type Burstiness = number | 'even';

/** A stretch of time in which the rate goes in a straight line from one value to another. */
export interface RateSegment {
  readonly fromPerSecond: number;
  readonly toPerSecond: number;
  /** Null in a last segment that goes on to the end of the run. In a run without an end its rate is constant. */
  readonly forMs: number | null;
}

/** What requests ask for. */
export interface Payloads {
  readonly choice: Choice;
  /** Of requests in protocol `openai`. */
  readonly chat: Chat;
  /** Of requests in protocol `open-inference`. */
  readonly tensor: TensorContent;
}

/** Which payload a request has: its own, the one of all, a popular one, one that begins like others, or that of a row of a trace. */
export type Choice =
  | { readonly kind: 'unique' }
  | { readonly kind: 'same' }
  | { readonly kind: 'zipf'; readonly exponent: number; readonly keys: number }
  | { readonly kind: 'prefix'; readonly groups: number; readonly prefixTokens: number }
  | { readonly kind: 'trace'; readonly trace: Trace };

/** A chat completion. */
export interface Chat {
  /** Not counting a shared prefix. Traces have lengths of their own. */
  readonly promptTokens: Length;
  readonly outputTokens: Length;
  readonly isStreaming: boolean;
  /** Whether a stream is asked to end with its usage. */
  readonly includesUsage: boolean;
  /** Whether models are asked to go on until `outputTokens`, an extension of vLLM and SGLang. */
  readonly ignoresEnd: boolean;
  readonly temperature: number | null;
}

/** An inference on one tensor. */
export interface TensorContent {
  readonly name: string;
  readonly datatype: string;
  /** Of one row. */
  readonly shape: readonly number[];
  readonly rows: Length;
}

/** How many tokens or rows. */
export type Length =
  | { readonly kind: 'fixed'; readonly count: number }
  | { readonly kind: 'uniform'; readonly from: number; readonly to: number }
  /** `variation` is the standard deviation over the mean; what exceeds `most` is cut to it. */
  | { readonly kind: 'lognormal'; readonly mean: number; readonly variation: number; readonly most: number };

/** How clients behave. */
export interface Clients {
  readonly cancel: { readonly share: number; readonly afterMs: number } | null;
  readonly slow: { readonly share: number; readonly bytesPerSecond: number } | null;
  readonly timeoutMs: number;
  /** How many may be open at once, over all processes; null for as many as it takes. */
  readonly connections: number | null;
  readonly processes: number;
}

/** What every good request keeps; null where nothing is asked. */
export interface Slos {
  readonly latencyMs: number | null;
  readonly timeToFirstTokenMs: number | null;
  readonly interTokenMs: number | null;
  readonly timePerOutputTokenMs: number | null;
}
