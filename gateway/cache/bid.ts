import type { Cancellation } from '../kernel/cancellation.ts';
import type { Clock, Timer } from '../kernel/clock.ts';
import type { Rng } from '../kernel/rng.ts';
import { useOf } from './freshness.ts';
import type { Ending, LeaseName, Leases, Taken } from './leases.ts';
import type { CacheEntry, CacheStore } from './store.ts';

/** What a bid came to: the answer is there; the lease is ours; or neither is to be had. */
export type BidResult =
  | { readonly kind: 'found'; readonly entry: CacheEntry }
  | { readonly kind: 'taken' }
  | { readonly kind: 'alone' };

interface Options {
  readonly leases: Leases;
  readonly store: CacheStore;
  readonly name: LeaseName;
  readonly leaseMs: number;
  /** The longest that it may take. */
  readonly withinMs: number;
  readonly cancellation: Cancellation;
  readonly clock: Clock;
  readonly rng: Rng;
  /** Called once with what it came to. */
  readonly onResult: (result: BidResult) => void;
  /** Called where the lease is ours, or may be, and is not wanted: what others are to be told. */
  readonly onUnwanted: (ending: Ending) => void;
}

/** On average: who waits looks so often whether it was not told of something. */
const lookEveryMs = 250;

const alone: BidResult = { kind: 'alone' };

/** One gateway's wish to compute the answer to a key, or to have it from the gateway that does. */
export class Bid {
  readonly #options: Options;
  readonly #leave = (): void => this.#settle(alone);
  readonly #limit: Timer;
  #isOver = false;
  #unwatch: (() => void) | null = null;
  /** The last that was heard and not yet acted on. */
  #heard: Ending | 'look' | null = null;
  #wake: (() => void) | null = null;

  /** `asked` is the answer to the first try to take the lease. */
  constructor(options: Options, asked: Promise<Taken | undefined>) {
    this.#options = options;
    this.#limit = options.clock.after(options.withinMs, this.#leave);
    options.cancellation.onCancel(this.#leave);
    void this.#run(asked);
  }

  /** Ends it with nothing. */
  close(): void {
    this.#settle(alone);
  }

  async #run(asked: Promise<Taken | undefined>): Promise<void> {
    let taken = await asked;
    while (taken === 'held' && !this.#isOver) {
      const heard = await this.#news();
      const entry = await this.#read();
      if (entry !== null) return this.#settle({ kind: 'found', entry });
      // Stored, and not there: too large, or Redis is full. Who waits for the next one would fare no better.
      if (heard === 'stored') return this.#settle(alone);
      if (this.#isOver) return;
      const again = this.#take();
      if (again === undefined) return this.#settle(alone);
      taken = await again;
    }
    if (taken === 'taken') await this.#lead();
    else this.#giveUp(taken);
  }

  /** Since the store was last asked, another gateway may have stored the answer and given the lease back. */
  async #lead(): Promise<void> {
    const entry = await this.#read();
    if (entry !== null) this.#options.onUnwanted('stored');
    else if (this.#isOver) this.#options.onUnwanted('failed');
    this.#settle(entry === null ? { kind: 'taken' } : { kind: 'found', entry });
  }

  #giveUp(taken: Taken | undefined): void {
    if (taken === undefined) this.#options.onUnwanted('failed');
    this.#settle(alone);
  }

  #take(): undefined | Promise<Taken | undefined> {
    const { leases, name, leaseMs } = this.#options;
    return leases.take(name, leaseMs);
  }

  async #read(): Promise<CacheEntry | null> {
    const { store, name, clock } = this.#options;
    if (this.#isOver) return null;
    const entry = await store.get(name.key);
    return entry !== null && useOf(entry.freshness, clock.wallMs()) === 'fresh' ? entry : null;
  }

  /** The next that is heard, or the time to look again. */
  async #news(): Promise<Ending | 'look'> {
    const { leases, name, clock, rng } = this.#options;
    this.#unwatch ??= leases.watch(name.key, (ending) => this.#hear(ending ?? 'look'));
    if (this.#heard === null) {
      const timer = clock.after(lookEveryMs * (0.5 + rng.next()), () => this.#hear('look'));
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      timer.cancel();
    }
    const heard = this.#heard ?? 'look';
    this.#heard = null;
    return heard;
  }

  #hear(news: Ending | 'look'): void {
    // An end that was heard says more than that it is time to look.
    if (news !== 'look' || this.#heard === null) this.#heard = news;
    this.#wake?.();
  }

  #settle(result: BidResult): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { cancellation, onResult } = this.#options;
    this.#limit.cancel();
    this.#unwatch?.();
    cancellation.off(this.#leave);
    this.#wake?.();
    onResult(result);
  }
}
