import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { SharedFlight, SharedLease } from '../../gateway/cache/shared-flights.ts';
import { keyAt } from '../support/caching/entries.ts';
import { RedisGateway } from '../support/caching/redis-gateways.ts';
import { eventually, pause, type Scope } from '../support/gateway-process.ts';
import { type RunningRedis, startRedis, startRedisCluster } from '../support/redis.ts';

/** Long enough for a machine that has much to do: where nothing is wrong, nothing is to be given up. */
const waitMs = 5_000;

const single = await startRedis({ after });
const members = await startRedisCluster({ after });
let keys = 0;

async function gatewaysAt(
  scope: Scope,
  count: number,
  { url = single.url, isCluster = false, leaseMs = 60_000 } = {},
): Promise<[RedisGateway, ...RedisGateway[]]> {
  const newGateway = (seed: number) => new RedisGateway(scope, url, { isCluster, waitMs, leaseMs, seed });
  const gateways: [RedisGateway, ...RedisGateway[]] = [newGateway(0)];
  for (let seed = 1; seed < count; seed++) gateways.push(newGateway(seed));
  await eventually('connected', () => gateways.every(({ link }) => link.isConnected));
  return gateways;
}

async function leadOf(begun: Promise<SharedFlight>): Promise<SharedLease> {
  const flight = await begun;
  if (flight.kind !== 'lead') throw new Error(`${flight.kind} is no lead`);
  return flight.lease;
}

/** How many connections listen for the end of a lease. */
async function listening(redises: readonly RunningRedis[], key: string): Promise<number> {
  const counts = redises.map(async ({ client }) => {
    const [, count] = (await client.pubsub('NUMSUB', `headgate:lease:${key}`)) as [string, number];
    return count;
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

for (const [name, { redises, ...where }] of [
  ['a Redis', { url: single.url, isCluster: false, redises: [single] }],
  ['a cluster of Redis', { url: members[0].url, isCluster: true, redises: members }],
] as const) {
  describe(`gateways that share ${name}`, () => {
    it('compute once what is asked a thousand times at once, each of several answers', async (t) => {
      const gateways = await gatewaysAt(t, 8, where);
      const asked = [keyAt(keys++), keyAt(keys++), keyAt(keys++), keyAt(keys++), keyAt(keys++)];
      const leads = new Map<string, number>();
      const others: string[] = [];
      const each = gateways.flatMap((gateway) =>
        Array.from({ length: 125 }, async (_, at) => {
          const key = asked[at % asked.length] ?? '';
          const flight = await gateway.begin(key);
          if (flight.kind !== 'lead') return others.push(flight.kind);
          leads.set(key, (leads.get(key) ?? 0) + 1);
          await pause(300);
          return gateway.finish(key, flight.lease);
        }),
      );
      await Promise.all(each);
      assert.deepEqual(
        [...leads.values()],
        asked.map(() => 1),
      );
      assert.deepEqual([...new Set(others)], ['found']);
      assert.deepEqual(
        gateways.flatMap(({ faults }) => [...faults]),
        [],
      );
    });

    it('go on one by one where one fails, and all together where an answer is for nobody else', async (t) => {
      const gateways = await gatewaysAt(t, 5, where);
      const key = keyAt(keys++);
      let [computing, failures] = [0, 0];
      const kinds = await Promise.all(
        gateways.map(async (gateway) => {
          const flight = await gateway.begin(key);
          if (flight.kind !== 'lead') return flight.kind;
          assert.equal(++computing, 1);
          await pause(20);
          computing -= 1;
          flight.lease.end(++failures === 3 ? 'unshareable' : 'failed');
          return flight.kind;
        }),
      );
      assert.deepEqual(kinds.toSorted(), ['alone', 'alone', 'lead', 'lead', 'lead']);
      assert.equal((await gateways[0].begin(key)).kind, 'alone', 'known for a while');
    });

    it('wake each other', async (t) => {
      const [one, ...others] = await gatewaysAt(t, 4, where);
      const tookMs: number[] = [];
      for (let round = 0; round < 20; round++) {
        const key = keyAt(keys++);
        const lease = await leadOf(one.begin(key));
        let endedAtMs = 0;
        const found = others.map(async (other) => {
          assert.equal((await other.begin(key)).kind, 'found');
          tookMs.push(performance.now() - endedAtMs);
        });
        await pause(10);
        endedAtMs = performance.now();
        await one.finish(key, lease);
        await Promise.all(found);
        await eventually('listens no more', async () => (await listening(redises, key)) === 0);
      }
      const medianMs = tookMs.toSorted((a, b) => a - b)[tookMs.length / 2] ?? 0;
      t.diagnostic(`found ${medianMs.toFixed(2)} ms after the work was done, at the median`);
      // Looking every 250 ms would take half of that.
      assert.ok(medianMs < 60, `${medianMs} ms`);
    });
  });
}

describe('a gateway', { concurrency: true }, () => {
  it('takes over from one that died', async (t) => {
    const [dies, one, other] = await gatewaysAt(t, 3, { leaseMs: 2_000 });
    if (one === undefined || other === undefined) throw new Error('three gateways');
    const key = keyAt(keys++);
    await leadOf(dies.begin(key));
    await pause(1_000);
    const late = [one, other].map(async (gateway) => ({ gateway, flight: await gateway.begin(key) }));
    dies.close();
    const first = await Promise.race(late);
    assert.equal(first.flight.kind, 'lead');
    if (first.flight.kind === 'lead') await first.gateway.finish(key, first.flight.lease);
    assert.deepEqual((await Promise.all(late)).map(({ flight }) => flight.kind).toSorted(), ['found', 'lead']);
  });

  it('holds what it computes for as long as it computes', async (t) => {
    const [one, other] = await gatewaysAt(t, 2, { leaseMs: 1_500 });
    if (other === undefined) throw new Error('two gateways');
    const key = keyAt(keys++);
    const lease = await leadOf(one.begin(key));
    const fromMs = performance.now();
    while (performance.now() < fromMs + 2_500) assert.equal((await other.begin(key, 400)).kind, 'alone');
    await one.finish(key, lease);
    assert.equal((await other.begin(key)).kind, 'found');
  });

  it('goes on by itself when half of its time is over', async (t) => {
    const [one, other] = await gatewaysAt(t, 2);
    const key = keyAt(keys++);
    await leadOf(one.begin(key));
    for (const leftMs of [100, 600, 2_000]) {
      const fromMs = performance.now();
      assert.equal((await other?.begin(key, leftMs))?.kind, 'alone');
      const tookMs = performance.now() - fromMs;
      assert.ok(tookMs >= leftMs / 2 - 1 && tookMs < leftMs / 2 + 150, `${tookMs} of ${leftMs} ms`);
    }
  });

  it('finds what it was not told of, and is told again, when what tells it breaks', async (t) => {
    const [one, other] = await gatewaysAt(t, 2);
    if (other === undefined) throw new Error('two gateways');
    const key = keyAt(keys++);
    const lease = await leadOf(one.begin(key));
    const found = other.begin(key);
    await eventually('listens', async () => (await listening([single], key)) === 1);
    await single.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await one.finish(key, lease);
    assert.equal((await found).kind, 'found');

    const next = keyAt(keys++);
    const nextLease = await leadOf(one.begin(next));
    const nextFound = other.begin(next);
    await eventually('listens again', async () => (await listening([single], next)) === 1);
    await one.finish(next, nextLease);
    assert.equal((await nextFound).kind, 'found');
    assert.deepEqual([...one.faults, ...other.faults], []);
  });

  it('listens on while one waits, though what tells it breaks again and again', async (t) => {
    const [one, other] = await gatewaysAt(t, 2);
    const key = keyAt(keys++);
    await leadOf(one.begin(key));
    const waiting = other?.begin(key, 6_000);
    for (let round = 0; round < 3; round++) {
      await eventually('listens', async () => (await listening([single], key)) === 1);
      await single.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await eventually('was cut off', async () => (await listening([single], key)) === 0);
    }
    assert.equal((await waiting)?.kind, 'alone');
  });
});
