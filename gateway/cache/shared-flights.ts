import type { Cancellation } from '../kernel/cancellation.ts';
import type { Clock } from '../kernel/clock.ts';
import { newRequestId, type Rng } from '../kernel/rng.ts';
import { Bid, type BidResult } from './bid.ts';
import { HeldLease } from './held-lease.ts';
import type { CacheKey } from './key.ts';
import type { Ending, LeaseName, Leases } from './leases.ts';
import type { CacheEntry, CacheStore } from './store.ts';

/** Leave to compute an answer for all gateways. */
export interface SharedLease {
  /**
   * To be called once the work is over: when the answer is in the store, when there is none that could be (`failed`: one other gateway tries), or when
   * nobody else can use it (`unshareable`: all others compute their own). Later calls change nothing.
   */
  end(ending: Ending): void;
}

/** Whose the work is: the answer is there; it is ours, for all; it is ours, for ourselves. */
export type SharedFlight =
  | { readonly kind: 'found'; readonly entry: CacheEntry }
  | { readonly kind: 'lead'; readonly lease: SharedLease }
  | { readonly kind: 'alone' };

/** How long one may wait for another's work. */
export interface Patience {
  /** Of the clock's `nowMs`; Infinity for none. */
  readonly deadlineMs: number;
  readonly cancellation: Cancellation;
}

interface Options {
  readonly leases: Leases;
  /** Where the answers are that others stored. */
  readonly store: CacheStore;
  readonly clock: Clock;
  readonly rng: Rng;
  /** How soon the work of a gateway that died is taken over, and how long others wait for the work of one that lives. */
  readonly leaseMs?: number;
}

const alone: SharedFlight = { kind: 'alone' };

/** One computation per key over all gateways that share a store. Whatever is wrong with it, each computes for itself. */
export class SharedFlights {
  readonly #options: Required<Options>;
  /** Whatever holds a timer. */
  readonly #open = new Set<{ close(): void }>();
  #isClosed = false;

  constructor({ leaseMs = 10_000, ...options }: Options) {
    this.#options = { leaseMs, ...options };
  }

  /** Asked by a flight's leader that found nothing fresh in the store. It never fails, and is over at half of the time that is left. */
  begin(key: CacheKey, patience: Patience): SharedFlight | Promise<SharedFlight> {
    const { leases, clock, leaseMs } = this.#options;
    const withinMs = Math.min((patience.deadlineMs - clock.nowMs()) / 2, leaseMs);
    if (withinMs <= 0 || patience.cancellation.reason !== null || this.#isClosed) return alone;
    const name = { key, token: newRequestId() };
    const asked = leases.take(name, leaseMs);
    if (asked === undefined) return alone;
    return new Promise((resolve) => {
      const onResult = (result: BidResult): void => {
        this.#open.delete(bid);
        resolve(result.kind === 'taken' ? { kind: 'lead', lease: this.#hold(name, patience.deadlineMs) } : result);
      };
      const onUnwanted = (ending: Ending): void => this.#hold(name, 0).end(ending);
      const bid = new Bid({ ...this.#options, ...patience, name, withinMs, onResult, onUnwanted }, asked);
      this.#open.add(bid);
    });
  }

  /** Nobody waits any more, and nothing is renewed. */
  close(): void {
    this.#isClosed = true;
    for (const one of [...this.#open]) one.close();
    this.#options.leases.close();
  }

  #hold(name: LeaseName, untilMs: number): HeldLease {
    const lease = new HeldLease({ ...this.#options, name, untilMs, onGone: () => this.#open.delete(lease) });
    if (this.#isClosed) lease.close();
    else this.#open.add(lease);
    return lease;
  }
}
