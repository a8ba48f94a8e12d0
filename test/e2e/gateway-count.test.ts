import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { GatewayCount } from '../../gateway/cache/gateway-count.ts';
import { type RedisFault, RedisLink } from '../../gateway/cache/redis-link.ts';
import { RedisRoll } from '../../gateway/cache/redis-roll.ts';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { systemClock } from '../../gateway/kernel/system-clock.ts';
import { eventually, pause, type Scope } from '../support/gateway-process.ts';
import { startRedis, startRedisCluster } from '../support/redis.ts';

interface Where {
  readonly url: string;
  readonly isCluster?: boolean;
  readonly seed?: number;
}

function newLink(scope: Scope, { url, isCluster = false, seed = 1 }: Where) {
  const link = new RedisLink({ urls: [url], isCluster, waitMs: 1_000, clock: systemClock, rng: seededRng(seed) });
  scope.after(() => link.close());
  const faults: RedisFault[] = [];
  link.faults.subscribe((fault) => faults.push(fault));
  return { link, faults };
}

function newCount(scope: Scope, where: Where) {
  const { link, faults } = newLink(scope, where);
  const roll = new RedisRoll({ link, prefix: 'headgate:' });
  const count = new GatewayCount({ roll, clock: systemClock, rng: seededRng(where.seed ?? 1) });
  scope.after(() => count.close());
  return { count, link, faults };
}

const single = { url: (await startRedis({ after })).url };
const cluster = { url: (await startRedisCluster({ after }))[0].url, isCluster: true };

describe('the count of gateways', { concurrency: true }, () => {
  for (const [name, where] of Object.entries({ 'a Redis': single, 'a cluster of Redis': cluster }))
    it(`in ${name} follows those that come, die and leave`, async (t) => {
      const [one, leaves, dies] = [1, 2, 3].map((seed) => newCount(t, { ...where, seed }));
      if (one === undefined || leaves === undefined || dies === undefined) throw new Error('three gateways');
      const told = (gateways: number) => () => one.count.gateways === gateways;
      await eventually('three', told(3));
      dies.link.close();
      await eventually('two', told(2));
      await leaves.count.close();
      await eventually('one', told(1));
      assert.deepEqual(
        one.faults.filter((fault) => fault !== 'away'),
        [],
      );
    });

  it('holds while Redis is gone, and starts anew with it', async (t) => {
    const redis = await startRedis(t);
    const counts = [1, 2].map((seed) => newCount(t, { url: redis.url, seed }).count);
    const told = (): boolean => counts.every(({ gateways }) => gateways === 2);
    await eventually('two', told);
    redis.process.kill('SIGKILL');
    await pause(1_500);
    assert.ok(told());
    const again = await startRedis(t, { port: redis.port });
    await eventually('both are back', async () => (await again.client.zcard('headgate:gateways')) === 2);
    assert.ok(told());
  });

  it('is not taken from what does not count', async (t) => {
    const redis = await startRedis(t);
    await redis.client.set('headgate:gateways', 'junk');
    const { link, faults } = newLink(t, redis);
    const roll = new RedisRoll({ link, prefix: 'headgate:' });
    await eventually('connected', () => link.isConnected);
    assert.equal(await roll.call('a', 5_000), undefined);
    assert.deepEqual(faults, ['failed']);
    await redis.client.del('headgate:gateways');
    assert.deepEqual(await roll.call('a', 200), { gateways: 1, isNew: true });
    assert.deepEqual(await roll.call('b', 60_000), { gateways: 2, isNew: true });
    assert.deepEqual(await roll.call('a', 60_000), { gateways: 2, isNew: false });
    await roll.leave('b');
    assert.deepEqual(await roll.call('a', 2_000), { gateways: 1, isNew: false });
    await eventually('a roll that nobody calls is forgotten', async () => {
      return (await redis.client.exists('headgate:gateways')) === 0;
    });
  });
});
