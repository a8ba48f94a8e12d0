import type { Clock } from '../kernel/clock.ts';
import { useOf } from './freshness.ts';
import type { CacheKey, Keys } from './key.ts';
import type { MemoryStore } from './memory-store.ts';
import type { CacheEntry, CacheStore } from './store.ts';

interface Options {
  readonly near: MemoryStore;
  readonly far: CacheStore;
  readonly clock: Clock;
}

/** A store near by, in front of one that others share. What is no longer fresh near by may have been asked for anew by another gateway. */
export class TwoLevelStore implements CacheStore {
  readonly #near: MemoryStore;
  readonly #far: CacheStore;
  readonly #clock: Clock;
  /** Counted, so that nothing asked for before a purge is kept after it. */
  #purges = 0;

  constructor({ near, far, clock }: Options) {
    this.#near = near;
    this.#far = far;
    this.#clock = clock;
  }

  get(key: CacheKey): CacheEntry | null | Promise<CacheEntry | null> {
    const near = this.#near.get(key);
    if (near !== null && useOf(near.freshness, this.#clock.wallMs()) === 'fresh') return near;
    const far = this.#far.get(key);
    if (!(far instanceof Promise)) return this.#newest(key, far);
    const purges = this.#purges;
    return far.then((entry) => (purges === this.#purges ? this.#newest(key, entry) : this.#near.get(key)));
  }

  put(key: CacheKey, entry: CacheEntry): void | Promise<void> {
    this.#near.put(key, entry);
    return this.#far.put(key, entry);
  }

  async purge(keys: Keys): Promise<number | null> {
    this.#purges += 1;
    const near = this.#near.purge(keys);
    const far = await this.#far.purge(keys);
    return far === null ? null : Math.max(near, far);
  }

  close(): void {
    this.#near.close();
    this.#far.close();
  }

  /** Meanwhile a newer one may have come in. */
  #newest(key: CacheKey, far: CacheEntry | null): CacheEntry | null {
    const near = this.#near.get(key);
    if (far === null || (near !== null && near.freshness.storedAtMs >= far.freshness.storedAtMs)) return near;
    this.#near.put(key, far);
    return far;
  }
}
