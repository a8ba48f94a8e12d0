import type { Clock, Timer } from './clock.ts';
import { type Due, popDue, pushDue } from './due-heap.ts';

interface Entry extends Due {
  call: (() => void) | null;
}

/**
 * Time that moves only when told to. Calls due at the same instant run in the order they were asked for.
 * Between two calls every promise that can settle does, so that code under simulation behaves as under real time.
 */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #order = 0;
  readonly #heap: Entry[] = [];
  readonly #wallOriginMs: number;

  constructor(wallOriginMs = 1_750_000_000_000) {
    this.#wallOriginMs = wallOriginMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#wallOriginMs + this.#nowMs;
  }

  after(delayMs: number, call: () => void): Timer {
    const entry: Entry = { dueAtMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, call };
    pushDue(this.#heap, entry);
    return {
      cancel: () => {
        entry.call = null;
      },
    };
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(delayMs, resolve);
    });
  }

  /** Calls still to come, cancelled ones left out: a simulation that ends with some has leaked a timer. */
  get pending(): number {
    return this.#heap.reduce((count, entry) => count + (entry.call === null ? 0 : 1), 0);
  }

  /** Moves time forward to `untilMs`, making every call that falls due on the way. */
  async runUntil(untilMs: number): Promise<void> {
    await settlePromises();
    while (this.#makeNextCall(untilMs)) await settlePromises();
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  /** Runs until nothing is pending. Never returns while something re-arms itself for ever: give such things `close()` first. */
  async runAll(): Promise<void> {
    await settlePromises();
    while (this.#makeNextCall(Number.POSITIVE_INFINITY)) await settlePromises();
  }

  /** Runs until a promise settles, whatever is pending then, and gives what it gave. Throws where time stands still before that, since nothing is pending. */
  async runThrough<Value>(promise: Promise<Value>): Promise<Value> {
    let hasSettled = false;
    const settle = (): void => {
      hasSettled = true;
    };
    promise.then(settle, settle);
    await settlePromises();
    while (!hasSettled) {
      if (!this.#makeNextCall(Number.POSITIVE_INFINITY))
        throw new Error('waited for what never comes: nothing is pending');
      await settlePromises();
    }
    return promise;
  }

  /** Makes the call that is due next, if it falls due by `untilMs`; gives whether there was one. */
  #makeNextCall(untilMs: number): boolean {
    for (let entry = this.#heap[0]; entry !== undefined && entry.dueAtMs <= untilMs; entry = this.#heap[0]) {
      popDue(this.#heap);
      if (entry.call === null) continue;
      this.#nowMs = Math.max(this.#nowMs, entry.dueAtMs);
      entry.call();
      return true;
    }
    return false;
  }
}

/** One turn of the event loop's check phase comes after all promise jobs, however long their chains. */
function settlePromises(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
