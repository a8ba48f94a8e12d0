import { type RedisFault, RedisLink } from '../../../gateway/cache/redis-link.ts';
import { RedisStore } from '../../../gateway/cache/redis-store.ts';
import { seededRng } from '../../../gateway/kernel/rng.ts';
import { systemClock } from '../../../gateway/kernel/system-clock.ts';
import { eventually, pause, type Scope } from '../gateway-process.ts';
import { entryOf, keyAt } from './entries.ts';

export const waitMs = 50;

const everyMs = 2;
const body = Buffer.alloc(10 * 1024, 'canal ');
const keptKeys = 200;

/** What one look into the store came to. */
interface Look {
  readonly atMs: number;
  readonly tookMs: number;
  readonly isHit: boolean;
}

/** A store in Redis, and how it is told of faults. */
export interface FaultyStore {
  readonly link: RedisLink;
  readonly store: RedisStore;
  readonly faults: Map<RedisFault, number>;
}

/** The store in the Redis at a place, well or not. */
export function newFaultyStore(
  scope: Scope,
  url: string,
  { maxEntryBytes = 1024 * 1024, isCluster = false } = {},
): FaultyStore {
  const link = new RedisLink({ urls: [url], isCluster, waitMs, clock: systemClock, rng: seededRng(1) });
  scope.after(() => link.close());
  const faults = new Map<RedisFault, number>();
  link.faults.subscribe((fault) => faults.set(fault, (faults.get(fault) ?? 0) + 1));
  return { link, faults, store: new RedisStore({ link, prefix: 'headgate:', maxEntryBytes, clock: systemClock }) };
}

/** Asks a store 500 times a second, four times of five for answers that it was given, and puts what it does not have; until it is stopped. */
export class StoreLoad {
  readonly looks: Look[] = [];
  mostResidentBytes = 0;
  readonly #store: RedisStore;
  readonly #keys = Array.from({ length: keptKeys }, (_, at) => keyAt(at));
  readonly #timer: NodeJS.Timeout;
  readonly #underWay = new Set<Promise<void>>();
  #count = 0;

  constructor(scope: Scope, store: RedisStore) {
    this.#store = store;
    this.#timer = setInterval(() => this.#look(), everyMs);
    scope.after(() => clearInterval(this.#timer));
  }

  /** The share of hits among the looks since an instant. */
  hitShare(fromMs: number): number {
    const looks = this.looks.filter(({ atMs }) => atMs >= fromMs);
    return looks.filter(({ isHit }) => isHit).length / Math.max(1, looks.length);
  }

  /** Resolves when most looks are hits again, with how long that took. */
  async recovered(withinMs: number): Promise<number> {
    const fromMs = performance.now();
    const looks = this.looks.length;
    await eventually(
      'hits again',
      () => this.looks.slice(Math.max(looks, this.looks.length - 50)).filter(({ isHit }) => isHit).length >= 30,
      withinMs,
    );
    return performance.now() - fromMs;
  }

  /** So many of a hundred looks since an instant took at most this long. */
  percentileMs(fromMs: number, share: number): number {
    const tookMs = this.looks.flatMap((look) => (look.atMs >= fromMs ? [look.tookMs] : [])).toSorted((a, b) => a - b);
    return tookMs[Math.min(tookMs.length - 1, Math.floor(tookMs.length * share))] ?? 0;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#underWay);
    await pause(2 * waitMs);
  }

  #look(): void {
    const one = this.#lookOnce(this.#count++);
    this.#underWay.add(one);
    one.finally(() => this.#underWay.delete(one));
    if (this.#count % 50 === 0) this.mostResidentBytes = Math.max(this.mostResidentBytes, process.memoryUsage.rss());
  }

  async #lookOnce(number: number): Promise<void> {
    const key = number % 5 === 0 ? `new-${number}` : (this.#keys[(number * 7) % keptKeys] ?? '');
    const atMs = performance.now();
    const found = await this.#store.get(key);
    this.looks.push({ atMs, tookMs: performance.now() - atMs, isHit: found !== null });
    if (found === null) await this.#store.put(key, entryOf(body, systemClock.wallMs()));
  }
}
