import { after } from 'node:test';
import { MemoryStore } from '../../gateway/cache/memory-store.ts';
import { RedisLink } from '../../gateway/cache/redis-link.ts';
import { RedisStore } from '../../gateway/cache/redis-store.ts';
import { TwoLevelStore } from '../../gateway/cache/two-level-store.ts';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { systemClock } from '../../gateway/kernel/system-clock.ts';
import type { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { eventually, type Scope } from '../support/gateway-process.ts';
import { startRedis, startRedisCluster } from '../support/redis.ts';
import { storeSuite } from './store-suite.ts';

const maxBytes = 64 * 1024 * 1024;
const maxEntryBytes = 1024 * 1024;
/** Long enough for a machine that has much to do: here nothing is to be given up. */
const waitMs = 10_000;

const single = { urls: [(await startRedis({ after })).url], isCluster: false };
const cluster = { urls: [(await startRedisCluster({ after }))[0].url], isCluster: true };
let stores = 0;

/** Each has names of its own in the Redis that they share; what a prefix says is no pattern. */
async function newRedisStore(where: typeof single, clock: VirtualClock, scope: Scope): Promise<RedisStore> {
  const link = new RedisLink({ ...where, waitMs, clock: systemClock, rng: seededRng(1) });
  scope.after(() => link.close());
  await eventually('connected to redis', () => link.isConnected);
  return new RedisStore({ link, prefix: `[*]${stores++}?:`, maxEntryBytes, clock });
}

storeSuite('the store in memory', (clock) => new MemoryStore({ maxBytes, clock }));
storeSuite('the store in Redis', (clock, scope) => newRedisStore(single, clock, scope));
storeSuite('the store in a cluster of Redis', (clock, scope) => newRedisStore(cluster, clock, scope));
storeSuite('the store of two levels', async (clock, scope) => {
  const far = await newRedisStore(single, clock, scope);
  return new TwoLevelStore({ near: new MemoryStore({ maxBytes, clock }), far, clock });
});
