import type { dialectNames, policyNames, protocolNames } from './backend-schema.ts';

/** The configuration as the program uses it: complete, checked, frozen, every quantity with its unit in its name. */
export interface Settings {
  readonly listen: ListenSettings;
  readonly admin: { readonly host: string; readonly port: number; readonly token: string | null };
  readonly backends: readonly BackendSettings[];
  readonly routes: readonly RouteSettings[];
  readonly cache: CacheSettings;
  readonly telemetry: { readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent' };
}

/** The port for clients, and what it lets in. */
export interface ListenSettings {
  readonly host: string;
  readonly port: number;
  readonly maxBodyBytes: number;
  readonly maxBufferedBytes: number;
  /** From the signal to end until running work is cut off. */
  readonly drainMs: number;
  /** From the signal to end until no more connections are accepted; at most `drainMs` counts. */
  readonly graceMs: number;
  readonly reusePort: boolean;
  /** Null where all replicas are near. */
  readonly zone: string | null;
}

/** Where answers are kept. */
export interface CacheSettings {
  readonly memoryBytes: number;
  readonly maxEntryBytes: number;
  /** Null where gateways share nothing. */
  readonly redis: RedisSettings | null;
  /** The longest that anybody waits for one command to Redis. */
  readonly waitMs: number;
  readonly prefix: string;
}

/** The Redis that gateways share, or some members of a cluster. */
export interface RedisSettings {
  readonly urls: readonly string[];
  readonly isCluster: boolean;
}

/** One named pool of replicas. */
export interface BackendSettings {
  readonly name: string;
  readonly protocol: (typeof protocolNames)[number];
  readonly models: readonly { readonly name: string; readonly upstream: string | null }[];
  readonly policy: (typeof policyNames)[number];
  readonly replicas: readonly ReplicaSettings[];
  readonly queue: { readonly maxLength: number; readonly waitMs: number };
  readonly timeouts: {
    readonly connectMs: number;
    readonly firstByteMs: number;
    readonly idleMs: number;
    /** Infinity for no limit. */
    readonly totalMs: number;
    /** The same where a stream is asked for. */
    readonly streamTotalMs: number;
  };
  readonly health: HealthSettings;
  readonly wantsReports: boolean;
  /** Null where no metrics page is read. */
  readonly scrape: ScrapeSettings | null;
  /** Null where any replica is as good. */
  readonly affinity: AffinitySettings | null;
  readonly breaker: BreakerSettings;
  readonly retry: RetrySettings;
  /** Null for no hedges. */
  readonly hedge: HedgeSettings | null;
  /** The head of an answer is passed on with its first chunk, not before. */
  readonly holdsFirstChunk: boolean;
}

/** How a replica is asked whether it is ready. */
export interface HealthSettings {
  readonly path: string;
  readonly everyMs: number;
  readonly timeoutMs: number;
  /** Failed checks in a row that make a replica unready. */
  readonly failuresToUnready: number;
  /** Passed checks in a row that make it ready again. */
  readonly successesToReady: number;
  /** The first status that speaks against it. */
  readonly unwellFromStatus: number;
}

/** The page in Prometheus' text format from which the load of a replica is read. */
export interface ScrapeSettings {
  readonly dialect: (typeof dialectNames)[number];
  readonly path: string;
  /** Null for that of the replica itself. */
  readonly port: number | null;
  readonly everyMs: number;
}

/** Which requests belong together, and how much a replica may carry for that. */
export interface AffinitySettings {
  readonly by: { readonly kind: 'prefix' } | { readonly kind: 'header' | 'field'; readonly name: string };
  /** Times its share of what is in flight. */
  readonly bound: number;
}

/** When a replica is ejected for what its traffic says of it, and for how long. */
export interface BreakerSettings {
  readonly consecutiveFailures: number;
  /** A share of successes below this trips, once `minRequests` have settled within `windowMs`. */
  readonly successShareBelow: number;
  readonly windowMs: number;
  readonly minRequests: number;
  /** The first time; doubled with every ejection up to `ejectMaxMs`, which is never less. */
  readonly ejectMs: number;
  readonly ejectMaxMs: number;
  /** 0 for none. */
  readonly slowStartMs: number;
}

/** How often a request is sent again. */
export interface RetrySettings {
  /** Of one request, the first one included. */
  readonly maxTries: number;
  /** Retries as a share of the requests; `floorPerSecond` comes on top. */
  readonly budgetShare: number;
  readonly floorPerSecond: number;
  /** A request may be sent again although a replica may have begun to work on it. */
  readonly isIdempotent: boolean;
}

/** When a request is sent to a second replica as well. Only where `RetrySettings.isIdempotent`. */
export interface HedgeSettings {
  /** How long the first byte may take: a quantile of the recent times to it, or a delay shorter than its timeout. */
  readonly after:
    | { readonly kind: 'quantile'; readonly quantile: number }
    | { readonly kind: 'delay'; readonly delayMs: number };
  /** Hedges as a share of the requests. */
  readonly budgetShare: number;
}

/** One server process; an entry of the file with several workers stands for as many. */
export interface ReplicaSettings {
  readonly id: string;
  readonly weight: number;
  readonly slots: number | null;
  /** Null for near, wherever that is. */
  readonly zone: string | null;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly caPem: string | null;
  readonly serverName: string | null;
  readonly at: ReplicaPlace;
}

/** Where a replica is: an address somebody else looks after, or a bundled worker that the gateway starts. */
export type ReplicaPlace =
  | { readonly kind: 'url'; readonly origin: string; readonly basePath: string; readonly socketPath: string | null }
  | {
      readonly kind: 'worker';
      readonly models: readonly string[];
      readonly threads: number;
      readonly folder: string | null;
    };

/** One rule for where requests go; an absent part of its match is null and accepts anything. */
export interface RouteSettings {
  readonly model: string | null;
  readonly tenant: string | null;
  readonly path: string | null;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly destinations: readonly { readonly backend: string; readonly weight: number }[];
  /** Names of backends, in the order they are tried. */
  readonly fallbacks: readonly string[];
  /** The backend that gets copies, and of which share of the requests; null for none. */
  readonly mirror: { readonly backend: string; readonly share: number } | null;
  /** Null where no answers are kept. */
  readonly cache: RouteCacheSettings | null;
  readonly isCoalescing: boolean;
  readonly deadlineMs: number | null;
}

/** How a route keeps answers. */
export interface RouteCacheSettings {
  readonly freshMs: number;
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  readonly isForEveryone: boolean;
  readonly revision: string;
  readonly isForSampled: boolean;
}

/**
 * The backends that routes name: they serve their own models no more by themselves. A mirror is among them, as with other proxies:
 * a candidate that is tried out on copies answers no client until a route sends to it.
 */
export function routedBackends(routes: readonly RouteSettings[]): Set<string> {
  return new Set(
    routes.flatMap(({ destinations, fallbacks, mirror }) => [
      ...destinations.map((one) => one.backend),
      ...fallbacks,
      ...(mirror === null ? [] : [mirror.backend]),
    ]),
  );
}
