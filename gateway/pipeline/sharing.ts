/** For how long an answer of a route may be used. */
export interface FreshnessRules {
  readonly freshMs: number;
  /** From when it is no longer fresh: given while one request asks for a new one (RFC 5861). */
  readonly staleWhileRevalidateMs: number;
  /** From when it is no longer fresh: given where a new one cannot be had. */
  readonly staleIfErrorMs: number;
}

/** How a route shares answers among those who ask the same. */
export interface RouteSharing {
  /** Of the answers that it keeps; null where they are shared only while they are computed. */
  readonly freshness: FreshnessRules | null;
  /** Whoever asks what is being computed waits for that. */
  readonly isCoalescing: boolean;
  /** Every tenant may be given what another one asked for. */
  readonly isForEveryone: boolean;
  /** Of the model, as far as the gateway can know it: it changes when answers do though the name stays. */
  readonly revision: string;
  /** Answers in which chance has a part are shared, too. */
  readonly isForSampled: boolean;
  /** The only headers of clients that go upstream, in lower case: they are part of the key. */
  readonly headers: readonly string[];
}

/** What a request says of answers that are kept: `new` is content with none, but its own may be kept; `private` must neither share nor be kept. */
export type Wish = 'any' | 'new' | 'private';

/** How one request may share its answer with others. */
export interface Sharing {
  /** What its answer is kept under: requests that have the same may be given the same. */
  readonly key: string;
  readonly wish: Wish;
  /** Nobody waits for it: what is kept is no longer fresh. */
  readonly isRefresh?: boolean;
}

/** Where answers are kept. */
export type StoreName = 'memory' | 'redis';

/** What became of a request at the cache. */
export type CacheOutcome =
  | {
      readonly kind: 'hit';
      readonly store: StoreName;
      /** Of the clock's `wallMs`. */
      readonly freshUntilMs: number;
      readonly isStale: boolean;
      /** A new answer was asked for, and could not be had. */
      readonly isInstead?: boolean;
    }
  | {
      readonly kind: 'forwarded';
      /** RFC 9211 section 2.2: `bypass` where the cache had no part in it, `request` where the client wanted a new answer. */
      readonly why: 'bypass' | 'miss' | 'request' | 'stale';
      readonly isStored?: boolean;
      readonly isCollapsed?: boolean;
    };
