import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { entryOf, keyAt } from '../support/caching/entries.ts';
import { faultMs, impostors, redisFaults, someOf, startImpostor } from '../support/caching/redis-troubles.ts';
import { newFaultyStore, StoreLoad, waitMs } from '../support/caching/store-load.ts';
import { eventually, pause } from '../support/gateway-process.ts';
import { freePort } from '../support/load-tests.ts';
import { startRedis, startRedisCluster } from '../support/redis.ts';

/** Of a look, beyond what Redis may take: the process itself may be late. */
const slackMs = 150;
const recoverWithinMs = 5_000;
const mebibyte = 1024 * 1024;
const mostGrownBytes = 32 * mebibyte;

describe('a Redis', () => {
  // The process comes to its working size meanwhile: what it grows by later is for what happened.
  it('that is well has four of five answers', async (t) => {
    const redis = await startRedis(t);
    const { store, link, faults: seen } = newFaultyStore(t, redis.url);
    await eventually('connected', () => link.isConnected);
    const load = new StoreLoad(t, store);
    await load.recovered(recoverWithinMs);
    const fromMs = performance.now();
    await pause(2 * faultMs);
    await load.stop();
    const share = load.hitShare(fromMs);
    t.diagnostic(
      `${(100 * share).toFixed(1)} % hits; p99 ${load.percentileMs(fromMs, 0.99).toFixed(1)} ms; ${JSON.stringify([...seen])}`,
    );
    assert.ok(share > 0.7 && share < 0.85, `${share}`);
  });

  for (const fault of someOf(redisFaults, 1)) {
    it(`that ${fault.name} costs hits, never more than its wait, and nothing that stays`, async (t) => {
      const redis = await startRedis(t, { args: fault.args ?? [] });
      const { store, link, faults: seen } = newFaultyStore(t, redis.url);
      await eventually('connected', () => link.isConnected);
      const load = new StoreLoad(t, store);
      await load.recovered(recoverWithinMs);
      await pause(500);
      const residentBytes = process.memoryUsage.rss();
      load.mostResidentBytes = residentBytes;
      seen.clear();
      const fromMs = performance.now();
      const end = await fault.begin(redis, t);
      await end();
      const tookMs = await load.recovered(recoverWithinMs);
      const p99Ms = load.percentileMs(fromMs, 0.99);
      const grownBytes = load.mostResidentBytes - residentBytes;
      await load.stop();
      t.diagnostic(
        `p99 ${p99Ms.toFixed(1)} ms, most ${load.percentileMs(fromMs, 1).toFixed(1)} ms; hits again after ${tookMs.toFixed(0)} ms; ` +
          `${(grownBytes / 1024 / 1024).toFixed(1)} MiB more; ${JSON.stringify([...seen])}`,
      );
      assert.ok(p99Ms <= waitMs + slackMs, `p99 ${p99Ms} ms`);
      assert.ok(fault.tells === undefined || seen.has(fault.tells), JSON.stringify([...seen]));
      assert.ok(grownBytes < mostGrownBytes, `${grownBytes} bytes more`);
    });
  }

  it('that answers in time has answered, though the process comes late to read it', async (t) => {
    const redis = await startRedis(t);
    const { store, link, faults: seen } = newFaultyStore(t, redis.url);
    await eventually('connected', () => link.isConnected);
    await store.put(keyAt(1), entryOf('x', Date.now()));
    const asked = store.get(keyAt(1));
    // Commands of one turn are sent together at its end.
    await new Promise((resolve) => setImmediate(resolve));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 4 * waitMs);
    assert.equal(String((await asked)?.body), 'x');
    assert.deepEqual([...seen], []);
  });

  it('that is not there at the start is found when it is', async (t) => {
    const port = await freePort();
    const { store, link, faults: seen } = newFaultyStore(t, `redis://127.0.0.1:${port}`);
    assert.equal(store.get(keyAt(1)), null, 'nobody waits');
    await store.put(keyAt(1), entryOf('x', Date.now()));
    assert.equal(await store.purge({}), null);
    assert.deepEqual([...seen.keys()], ['away']);
    await eventually('tried', () => link.whyAway !== null);
    assert.match(link.whyAway ?? '', /ECONNREFUSED/);
    await startRedis(t, { port });
    await eventually('connected', () => link.isConnected, recoverWithinMs);
    assert.equal(link.whyAway, null);
    await store.put(keyAt(1), entryOf('x', Date.now()));
    assert.equal(String((await store.get(keyAt(1)))?.body), 'x');
  });

  it('that is frozen is sent no more than it is worth', async (t) => {
    const redis = await startRedis(t);
    const { store, link, faults: seen } = newFaultyStore(t, redis.url, { maxEntryBytes: 2 * mebibyte });
    await eventually('connected', () => link.isConnected);
    redis.process.kill('SIGSTOP');
    const large = entryOf(new Uint8Array(mebibyte), Date.now());
    await Promise.all(Array.from({ length: 20 }, (_, at) => store.put(keyAt(at), large)));
    assert.deepEqual(
      [...seen],
      [
        ['busy', 13],
        ['slow', 7],
      ],
    );
    seen.clear();
    assert.equal(store.get(keyAt(1)), null, 'nobody waits for what does not answer');
    assert.deepEqual([...seen], [['paused', 1]]);
    redis.process.kill('SIGCONT');
    await eventually('asked again', () => store.get(keyAt(1)) !== null, recoverWithinMs);
  });

  it('that is frozen is asked no more at once than it may answer later', async (t) => {
    const redis = await startRedis(t);
    const { store, link, faults: seen } = newFaultyStore(t, redis.url);
    await eventually('connected', () => link.isConnected);
    redis.process.kill('SIGSTOP');
    await Promise.all(Array.from({ length: 1000 }, async (_, at) => store.get(keyAt(at))));
    assert.deepEqual(
      [...seen],
      [
        ['busy', 744],
        ['slow', 256],
      ],
    );
  });

  it('of which no member is there, of a cluster, has nothing and forgets nothing', async (t) => {
    const url = `redis://127.0.0.1:${await freePort()}`;
    const { store, link, faults: seen } = newFaultyStore(t, url, { isCluster: true });
    assert.equal(store.get(keyAt(1)), null);
    await store.put(keyAt(1), entryOf('x', Date.now()));
    assert.equal(await store.purge({}), null);
    assert.deepEqual([...seen.keys()], ['away']);
    await eventually('tried', () => link.whyAway !== null);
  });

  it('of a cluster in which nobody has a key is one that fails', async (t) => {
    const members = await startRedisCluster(t);
    const { store, link, faults: seen } = newFaultyStore(t, members[0].url, { isCluster: true });
    for (const { client } of members) await client.config('SET', 'cluster-require-full-coverage', 'no');
    await eventually('connected', () => link.isConnected);
    await store.put(keyAt(1), entryOf('x', Date.now()));
    assert.equal(String((await store.get(keyAt(1)))?.body), 'x');
    assert.equal(await link.ask(() => assert.fail('no member for this slot')), undefined);
    assert.deepEqual([...seen], [['failed', 1]]);
    const slot = Number(await members[0].client.call('CLUSTER', 'KEYSLOT', `headgate:${keyAt(1)}`));
    for (const { client } of members) await client.call('CLUSTER', 'DELSLOTS', slot).catch(() => {});
    assert.equal(await store.get(keyAt(1)), null);
    assert.equal(
      [...seen.values()].reduce((sum, count) => sum + count, 0),
      2,
      JSON.stringify([...seen]),
    );
  });

  it('that wants another password is not there, and says why', async (t) => {
    const redis = await startRedis(t);
    await redis.client.config('SET', 'requirepass', 'right');
    const { store, link } = newFaultyStore(t, redis.url.replace('//', '//:wrong@'));
    await eventually('tried', () => link.whyAway !== null);
    assert.match(link.whyAway ?? '', /WRONGPASS/);
    assert.doesNotMatch(link.whyAway ?? '', /wrong@/);
    assert.equal(store.get(keyAt(1)), null);
  });

  it('that holds something else under a key has nothing there', async (t) => {
    const redis = await startRedis(t);
    const { store, link, faults: seen } = newFaultyStore(t, redis.url, { maxEntryBytes: 100_000 });
    await eventually('connected', () => link.isConnected);
    const name = `headgate:${keyAt(1)}`;
    await store.put(keyAt(1), entryOf('x', Date.now()));
    const good = (await redis.client.getBuffer(name)) ?? assert.fail('nothing was kept');
    const junk = [
      Buffer.from('junk'),
      good.subarray(0, -1),
      Buffer.concat([good, good]),
      Buffer.alloc(10_000_000, good),
    ];
    for (const value of junk) {
      await redis.client.set(name, value);
      assert.equal(await store.get(keyAt(1)), null, `${value.length} bytes`);
    }
    assert.equal(seen.get('junk'), junk.length);
    await redis.client.del(name);
    await redis.client.lpush(name, 'a list');
    assert.equal(await store.get(keyAt(1)), null);
    assert.equal(seen.get('failed'), 1);
    await store.put(keyAt(1), entryOf('y', Date.now()));
    assert.equal(String((await store.get(keyAt(1)))?.body), 'y');
  });
});

describe('what is no Redis', () => {
  for (const { name, answer, tells } of someOf(impostors, 1)) {
    it(`and ${name} is no more than a miss, at once or within the wait`, async (t) => {
      const { store, faults: seen } = newFaultyStore(t, await startImpostor(t, answer));
      const load = new StoreLoad(t, store);
      const fromMs = performance.now();
      await pause(faultMs);
      await load.stop();
      assert.ok(load.looks.length > 0);
      assert.equal(load.hitShare(0), 0);
      assert.ok(load.percentileMs(fromMs, 0.99) <= waitMs + slackMs);
      assert.ok([...seen.values()].reduce((sum, count) => sum + count, 0) >= load.looks.length, 'each is told of');
      assert.ok(tells === undefined || seen.has(tells));
    });
  }
});
