import type { CacheKey } from './key.ts';

/** What came of asking for a lease: it is ours, another gateway has it, or it is known that answers to this key cannot be shared. */
export type Taken = 'taken' | 'held' | 'unshareable';

/** What came of the work that was done under a lease. */
export type Ending = 'stored' | 'failed' | 'unshareable';

/** The lease of one key, and the token that tells its holder from all others that ever wanted it. */
export interface LeaseName {
  readonly key: CacheKey;
  readonly token: string;
}

/**
 * Where gateways agree on who computes what. It never fails: where it is not asked, it gives undefined at once, and where it was asked and did not
 * answer in time, a promise of that; then nobody knows what came of it.
 */
export interface Leases {
  take(lease: LeaseName, forMs: number): undefined | Promise<Taken | undefined>;
  /** Lets it last longer; false where it is no longer held. */
  renew(lease: LeaseName, forMs: number): undefined | Promise<boolean | undefined>;
  /** Gives it back, and tells all who watch its key. That answers cannot be shared is remembered for a while. */
  end(lease: LeaseName, ending: Ending, rememberMs: number): undefined | Promise<boolean | undefined>;
  /**
   * Hears of every end of a lease of this key from some moment on: null says that the moment has come, or that something may have been missed since.
   * May call at once. Gives what ends it.
   */
  watch(key: CacheKey, hear: (ending: Ending | null) => void): () => void;
  close(): void;
}
