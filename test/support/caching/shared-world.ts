import { type SharedFlight, SharedFlights, type SharedLease } from '../../../gateway/cache/shared-flights.ts';
import type { CacheEntry, CacheStore } from '../../../gateway/cache/store.ts';
import { Cancellation } from '../../../gateway/kernel/cancellation.ts';
import { seededRng } from '../../../gateway/kernel/rng.ts';
import { VirtualClock } from '../../../gateway/kernel/virtual-clock.ts';
import { entryOf } from './entries.ts';
import { LeaseBoard } from './lease-board.ts';

export const leaseMs = 10_000;

/** Gateways that share a store and leases, on a clock. */
export class SharedWorld {
  readonly clock = new VirtualClock();
  readonly board: LeaseBoard;
  readonly gateways: readonly SharedFlights[];
  /** By key, what is in the store. */
  readonly stored = new Map<string, CacheEntry>();

  constructor(seed: number, gateways: number) {
    const rng = seededRng(seed);
    this.board = new LeaseBoard(this.clock, rng);
    const { clock, board } = this;
    this.gateways = Array.from(
      { length: gateways },
      () => new SharedFlights({ leases: board.newView(), store: this.#newStore(), clock, rng, leaseMs }),
    );
  }

  /** Asks one gateway, and tells how long it took. */
  async begin(
    gateway: number,
    key: string,
    { deadlineMs = Number.POSITIVE_INFINITY, cancellation = new Cancellation() } = {},
  ): Promise<{ readonly flight: SharedFlight; readonly tookMs: number }> {
    const fromMs = this.clock.nowMs();
    const flight = await this.gateways[gateway]?.begin(key, { deadlineMs, cancellation });
    if (flight === undefined) throw new Error(`no gateway ${gateway}`);
    return { flight, tookMs: this.clock.nowMs() - fromMs };
  }

  /** Does the work of one that leads: stores an answer after a time, then gives the lease back. */
  async work(key: string, lease: SharedLease, forMs: number): Promise<void> {
    await this.clock.sleep(forMs);
    this.stored.set(key, entryOf('x', this.clock.wallMs()));
    lease.end('stored');
  }

  #newStore(): CacheStore {
    const { clock, stored, board } = this;
    return {
      get: async (key) => {
        if (board.trouble.isAway) return null;
        await clock.sleep(1);
        const entry = stored.get(key) ?? null;
        await clock.sleep(1);
        return entry;
      },
      put: () => {},
      purge: () => 0,
      close: () => {},
    };
  }
}

/** The lease of one that leads. */
export function leaseOf({ flight }: { readonly flight: SharedFlight }): SharedLease {
  if (flight.kind !== 'lead') throw new Error(`${flight.kind} is no lead`);
  return flight.lease;
}
