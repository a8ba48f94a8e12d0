import type { Clock } from '../kernel/clock.ts';
import { encodeHead, readEntry } from './entry-codec.ts';
import { usableUntilMs } from './freshness.ts';
import { type CacheKey, isAmong, type Keys } from './key.ts';
import { PageMemory, pageCostBytes, pagesFor } from './page-memory.ts';
import type { CacheEntry, CacheStore } from './store.ts';

interface Options {
  readonly maxBytes: number;
  readonly clock: Clock;
}

/** What an entry takes besides its pages: its key, its place in the table and in the line. 225 to 275 were measured. */
const entryBytes = 320;

/** An entry in the line. */
interface Place {
  readonly key: CacheKey;
  readonly firstPage: number;
  readonly sizeBytes: number;
  readonly usableUntilMs: number;
  wasAsked: boolean;
  newer: Place | null;
  older: Place | null;
}

/**
 * Answers in this process's memory, within a bound. What goes when there is no room is chosen by SIEVE (Zhang and others, NSDI 2024):
 * the entries stand in line as they came, and a hand that moves from the oldest to the newest passes over those that were asked for since
 * it last came by, and takes the first that was not. Those asked for once never displace those asked for again and again.
 */
export class MemoryStore implements CacheStore {
  readonly #maxBytes: number;
  readonly #clock: Clock;
  readonly #memory: PageMemory;
  readonly #places = new Map<CacheKey, Place>();
  #newest: Place | null = null;
  #oldest: Place | null = null;
  #hand: Place | null = null;
  #accountedBytes = 0;

  constructor({ maxBytes, clock }: Options) {
    this.#maxBytes = maxBytes;
    this.#clock = clock;
    this.#memory = new PageMemory(Math.floor(maxBytes / pageCostBytes));
  }

  /** What it takes now; never more than its bound. */
  get accountedBytes(): number {
    return this.#accountedBytes;
  }

  get entryCount(): number {
    return this.#places.size;
  }

  get(key: CacheKey): CacheEntry | null {
    const place = this.#places.get(key);
    if (place === undefined) return null;
    if (place.usableUntilMs <= this.#clock.wallMs()) {
      this.#drop(place);
      return null;
    }
    place.wasAsked = true;
    return readEntry(this.#memory.read(place.firstPage, place.sizeBytes));
  }

  put(key: CacheKey, entry: CacheEntry): void {
    const before = this.#places.get(key);
    if (before !== undefined) this.#drop(before);
    const head = encodeHead(entry);
    const sizeBytes = head.length + entry.body.length;
    const untilMs = usableUntilMs(entry.freshness);
    if (untilMs <= this.#clock.wallMs() || !this.#makeRoom(costOf(sizeBytes))) return;
    const place: Place = {
      key,
      firstPage: this.#memory.write([head, entry.body]),
      sizeBytes,
      usableUntilMs: untilMs,
      wasAsked: before?.wasAsked ?? false,
      newer: null,
      older: this.#newest,
    };
    if (this.#newest !== null) this.#newest.newer = place;
    this.#newest = place;
    this.#oldest ??= place;
    this.#places.set(key, place);
    this.#accountedBytes += costOf(sizeBytes);
  }

  purge(keys: Keys): number {
    const one = keys.key === undefined ? null : this.#places.get(keys.key);
    const all = one === null ? [...this.#places.values()] : one === undefined ? [] : [one];
    const meant = all.filter(({ key }) => isAmong(key, keys));
    for (const place of meant) this.#drop(place);
    return meant.length;
  }

  close(): void {
    this.purge({});
  }

  /** False where it would not fit if it were alone. */
  #makeRoom(costBytes: number): boolean {
    if (costBytes > this.#maxBytes) return false;
    while (this.#accountedBytes + costBytes > this.#maxBytes) {
      const least = this.#leastAsked();
      if (least === null) return false;
      this.#drop(least);
    }
    return true;
  }

  /** Where the hand stops. */
  #leastAsked(): Place | null {
    let place = this.#hand ?? this.#oldest;
    while (place?.wasAsked) {
      place.wasAsked = false;
      place = place.newer ?? this.#oldest;
    }
    this.#hand = place;
    return place;
  }

  #drop(place: Place): void {
    if (this.#hand === place) this.#hand = place.newer;
    if (place.newer === null) this.#newest = place.older;
    else place.newer.older = place.older;
    if (place.older === null) this.#oldest = place.newer;
    else place.older.newer = place.newer;
    this.#places.delete(place.key);
    this.#memory.free(place.firstPage);
    this.#accountedBytes -= costOf(place.sizeBytes);
  }
}

/** What an entry of so many bytes takes. */
export function costOf(sizeBytes: number): number {
  return entryBytes + pagesFor(sizeBytes) * pageCostBytes;
}
