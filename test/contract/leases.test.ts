import { after } from 'node:test';
import { RedisLeases } from '../../gateway/cache/redis-leases.ts';
import { RedisLink } from '../../gateway/cache/redis-link.ts';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { systemClock } from '../../gateway/kernel/system-clock.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { LeaseBoard } from '../support/caching/lease-board.ts';
import { eventually, pause, type Scope } from '../support/gateway-process.ts';
import { startRedis, startRedisCluster } from '../support/redis.ts';
import { type LeaseWorld, leaseSuite } from './lease-suite.ts';

/** Long enough for a machine that has much to do: here nothing is to be given up. */
const waitMs = 10_000;

const single = { urls: [(await startRedis({ after })).url], isCluster: false };
const cluster = { urls: [(await startRedisCluster({ after }))[0].url], isCluster: true };
let worlds = 0;

async function newRedisWorld(where: typeof single, scope: Scope): Promise<LeaseWorld> {
  const prefix = `world-${worlds++}:`;
  const newLeases = async (seed: number): Promise<RedisLeases> => {
    const rng = seededRng(seed);
    const link = new RedisLink({ ...where, waitMs, clock: systemClock, rng });
    scope.after(() => link.close());
    await eventually('connected to redis', () => link.isConnected);
    const leases = new RedisLeases({ link, prefix, clock: systemClock, rng });
    scope.after(() => leases.close());
    return leases;
  };
  return { one: await newLeases(1), other: await newLeases(2), pass: pause };
}

function newSimulatedWorld(scope: Scope): LeaseWorld {
  const clock = new VirtualClock();
  const board = new LeaseBoard(clock, seededRng(1));
  const turns = setInterval(() => void clock.runUntil(clock.nowMs() + 1), 1);
  scope.after(() => clearInterval(turns));
  return { one: board.newView(), other: board.newView(), pass: (forMs) => clock.runUntil(clock.nowMs() + forMs) };
}

leaseSuite('leases in Redis', (scope) => newRedisWorld(single, scope));
leaseSuite('leases in a cluster of Redis', (scope) => newRedisWorld(cluster, scope));
leaseSuite('leases as they are simulated', newSimulatedWorld);
