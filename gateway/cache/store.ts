import { hash } from 'node:crypto';
import type { HeaderList } from '../pipeline/headers.ts';
import type { Freshness } from './freshness.ts';
import type { CacheKey, Keys } from './key.ts';

/** An answer that is kept: one of status 200, whole. */
export interface CacheEntry {
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  /** Its validator (RFC 9110 section 8.8.3), weak: whoever asks may get it with another id in it. */
  readonly etag: string;
  readonly freshness: Freshness;
}

/** Where answers are kept. It never fails: what it cannot find or reach, it does not have. */
export interface CacheStore {
  /** What is kept under a key and still good for something, fresh or not. */
  get(key: CacheKey): CacheEntry | null | Promise<CacheEntry | null>;
  /** Keeps an entry in the place of the one that is there. It may be forgotten at any time, and is when it is good for nothing. */
  put(key: CacheKey, entry: CacheEntry): void | Promise<void>;
  /** Forgets what is kept under these keys. Gives how many there were, or null where some may be left. */
  purge(keys: Keys): number | null | Promise<number | null>;
  /** Ends it, with all it holds on to; it has nothing any more. */
  close(): void;
}

/** An answer as it is kept. The body belongs to the entry from now on. */
export function newEntry(headers: HeaderList, body: Uint8Array, freshness: Freshness): CacheEntry {
  return { headers, body, etag: `W/"${hash('sha256', body, 'base64url').slice(0, 22)}"`, freshness };
}
