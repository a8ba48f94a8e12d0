import { RedisLeases } from '../../../gateway/cache/redis-leases.ts';
import { type RedisFault, RedisLink } from '../../../gateway/cache/redis-link.ts';
import { RedisStore } from '../../../gateway/cache/redis-store.ts';
import { type SharedFlight, SharedFlights, type SharedLease } from '../../../gateway/cache/shared-flights.ts';
import { Cancellation } from '../../../gateway/kernel/cancellation.ts';
import { seededRng } from '../../../gateway/kernel/rng.ts';
import { systemClock } from '../../../gateway/kernel/system-clock.ts';
import type { Scope } from '../gateway-process.ts';
import { entryOf } from './entries.ts';

interface Options {
  readonly isCluster?: boolean;
  readonly waitMs?: number;
  readonly leaseMs?: number;
  readonly seed?: number;
}

/** What a gateway has in a Redis: answers, and leave to compute them for others. */
export class RedisGateway {
  readonly link: RedisLink;
  readonly store: RedisStore;
  readonly faults = new Map<RedisFault, number>();
  readonly #flights: SharedFlights;

  constructor(scope: Scope, url: string, { isCluster = false, waitMs = 50, leaseMs = 10_000, seed = 1 }: Options = {}) {
    const [clock, rng, prefix] = [systemClock, seededRng(seed), 'headgate:'];
    const link = new RedisLink({ urls: [url], isCluster, waitMs, clock, rng });
    this.link = link;
    this.store = new RedisStore({ link, prefix, maxEntryBytes: 1024 * 1024, clock });
    link.faults.subscribe((fault) => this.faults.set(fault, (this.faults.get(fault) ?? 0) + 1));
    const leases = new RedisLeases({ link, prefix, clock, rng });
    this.#flights = new SharedFlights({ leases, store: this.store, clock, rng, leaseMs });
    scope.after(() => this.close());
  }

  /** With so much time left, all the time there is unless said otherwise. */
  async begin(key: string, leftMs = Number.POSITIVE_INFINITY): Promise<SharedFlight> {
    const deadlineMs = systemClock.nowMs() + leftMs;
    return this.#flights.begin(key, { deadlineMs, cancellation: new Cancellation() });
  }

  /** Does the work of one that leads. */
  async finish(key: string, lease: SharedLease): Promise<void> {
    await this.store.put(key, entryOf(key, systemClock.wallMs()));
    lease.end('stored');
  }

  /** Nothing that it holds is given back. */
  close(): void {
    this.link.close();
    this.#flights.close();
  }
}
