import { alone, type Peers } from './balance/replica.ts';
import { Flights } from './cache/flights.ts';
import { GatewayCount } from './cache/gateway-count.ts';
import type { Keys } from './cache/key.ts';
import { MemoryStore } from './cache/memory-store.ts';
import { RedisLeases } from './cache/redis-leases.ts';
import { RedisLink } from './cache/redis-link.ts';
import { RedisRoll } from './cache/redis-roll.ts';
import { RedisStore } from './cache/redis-store.ts';
import { SharedFlights } from './cache/shared-flights.ts';
import { TwoLevelStore } from './cache/two-level-store.ts';
import type { Clock } from './kernel/clock.ts';
import type { GatewayError } from './kernel/errors.ts';
import type { Rng } from './kernel/rng.ts';
import type { BufferRoom } from './pipeline/buffer-room.ts';
import type { CacheSettings } from './settings/settings.ts';
import type { CacheParts } from './stages/cache.ts';
import type { CacheSharedParts } from './stages/cache-shared.ts';

interface Surroundings {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly room: BufferRoom;
}

/** Where answers are kept and shared: for the life of the process, whatever configurations come and go. */
export interface AssembledCache extends CacheParts, CacheSharedParts {
  /** How many gateways send to the same replicas. */
  readonly peers: Peers;
  /** Null where nothing is shared with other gateways. */
  readonly redis: RedisLink | null;
  purge(keys: Keys): Promise<number | null>;
  /** Ends what is computed for nobody. */
  cut(error: GatewayError): void;
  close(): Promise<void>;
}

/** Beside a body, in an entry of Redis: its head. */
const headBytes = 64 * 1024;

/** Builds the stores of answers, and what is shared while it is computed. */
export function assembleCache(settings: CacheSettings, { clock, rng, room }: Surroundings): AssembledCache {
  const { memoryBytes, maxEntryBytes } = settings;
  const memory = new MemoryStore({ maxBytes: memoryBytes, clock });
  const flights = new Flights({
    clock,
    room,
    maxBytes: maxEntryBytes,
    render: (reply, exchange) => exchange.protocol.render(reply, exchange),
  });
  const far = settings.redis === null ? null : assembleRedis({ ...settings, redis: settings.redis }, clock, rng);
  const store = far === null ? memory : new TwoLevelStore({ near: memory, far: far.store, clock });
  const purges = { count: 0 };
  const shared = far === null ? null : new SharedFlights({ leases: far.leases, store, clock, rng });
  return {
    memory,
    flights,
    store,
    storeName: far === null ? 'memory' : 'redis',
    sharedFlights: shared,
    maxEntryBytes,
    room,
    purges,
    clock,
    peers: far?.count ?? alone,
    redis: far?.link ?? null,
    async purge(keys) {
      purges.count += 1;
      flights.purge(keys);
      return store.purge(keys);
    },
    cut: (error) => flights.cut(error),
    async close() {
      shared?.close();
      await far?.count.close();
      store.close();
    },
  };
}

type WithRedis = CacheSettings & { readonly redis: NonNullable<CacheSettings['redis']> };

function assembleRedis({ redis, waitMs, prefix, maxEntryBytes }: WithRedis, clock: Clock, rng: Rng) {
  const link = new RedisLink({ ...redis, waitMs, clock, rng });
  return {
    link,
    store: new RedisStore({ link, prefix, maxEntryBytes: maxEntryBytes + headBytes, clock }),
    leases: new RedisLeases({ link, prefix, clock, rng }),
    count: new GatewayCount({ roll: new RedisRoll({ link, prefix }), clock, rng }),
  };
}
