import { encodeHead } from '../../gateway/cache/entry-codec.ts';
import { freshnessOf, useOf } from '../../gateway/cache/freshness.ts';
import { costOf, MemoryStore } from '../../gateway/cache/memory-store.ts';
import { type CacheEntry, newEntry } from '../../gateway/cache/store.ts';
import type { Clock } from '../../gateway/kernel/clock.ts';
import type { Keeping } from './columns.ts';
import type { Asked, Workload } from './workload.ts';

/** Shares of the requests that count. */
export interface Cell {
  /** Answered from memory. */
  readonly hits: number;
  /** Came while the same was being computed for another: what it then needs of its own is nothing, where flights are shared. */
  readonly joined: number;
}

/** The gateway's store with answers that come after their time, and a count of what needed none. */
export class ReplayedMemory {
  readonly #store: MemoryStore;
  readonly #keeping: Keeping;
  readonly #clock: Clock;
  readonly #underWay = new Set<string>();
  #hits = 0;
  #joined = 0;

  constructor(workload: Workload, keeping: Keeping, clock: Clock) {
    this.#store = new MemoryStore({ maxBytes: Math.floor(keeping.memoryShare * bytesOfAll(workload)), clock });
    this.#keeping = keeping;
    this.#clock = clock;
  }

  /** Takes a request; one without a key is computed, whatever else is. */
  ask(key: string | null, { answer, serviceMs }: Asked, counts: boolean): void {
    if (key === null) return;
    const found = this.#store.get(key);
    if (found !== null && useOf(found.freshness, this.#clock.wallMs()) === 'fresh') this.#hits += counts ? 1 : 0;
    else if (this.#underWay.has(key)) this.#joined += counts ? 1 : 0;
    else this.#compute(key, answer, serviceMs);
  }

  /** What was counted, of so many requests. */
  sum(requests: number): Cell {
    return { hits: this.#hits / requests, joined: this.#joined / requests };
  }

  #compute(key: string, answer: Buffer, serviceMs: number): void {
    this.#underWay.add(key);
    this.#clock.after(serviceMs, () => {
      this.#underWay.delete(key);
      this.#store.put(key, entryOf(answer, this.#keeping.freshMs, this.#clock.wallMs()));
    });
  }
}

function bytesOfAll({ answerBytes }: Workload): number {
  const headBytes = encodeHead(entryOf(Buffer.alloc(0), 0, 0)).length;
  let sum = 0;
  for (const bytes of answerBytes) sum += costOf(headBytes + bytes);
  return sum;
}

function entryOf(answer: Buffer, freshMs: number, nowMs: number): CacheEntry {
  const rules = { freshMs, staleWhileRevalidateMs: 0, staleIfErrorMs: 0 };
  return newEntry(['content-type', 'application/json'], answer, freshnessOf(rules, null, nowMs));
}
