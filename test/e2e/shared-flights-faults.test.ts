import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { keyAt } from '../support/caching/entries.ts';
import { RedisGateway } from '../support/caching/redis-gateways.ts';
import { faultMs, impostors, redisFaults, someOf, startImpostor } from '../support/caching/redis-troubles.ts';
import { eventually, pause, type Scope } from '../support/gateway-process.ts';
import { startRedis } from '../support/redis.ts';

/** The time each has, and so the longest that it may wait. */
const leftMs = 400;
const longestMs = leftMs / 2;
/** The process itself may be late. */
const slackMs = 150;
const recoverWithinMs = 5_000;
const leaseMs = 2_000;
const workMs = 20;
const everyMs = 10;

/** Two gateways that are each asked 100 times a second; each answer is asked for four times, and computed in 20 ms by whoever has to. */
class FlightLoad {
  readonly gateways: readonly [RedisGateway, RedisGateway];
  readonly tookMs: number[] = [];
  readonly kinds: string[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #underWay = new Set<Promise<void>>();
  #asked = 0;

  constructor(scope: Scope, url: string) {
    this.gateways = [
      new RedisGateway(scope, url, { leaseMs, seed: 1 }),
      new RedisGateway(scope, url, { leaseMs, seed: 2 }),
    ];
    this.#timer = setInterval(() => {
      for (const gateway of this.gateways) this.#ask(gateway);
    }, everyMs);
    scope.after(() => clearInterval(this.#timer));
  }

  get p99Ms(): number {
    return this.tookMs.toSorted((a, b) => a - b)[Math.floor(0.99 * this.tookMs.length)] ?? 0;
  }

  /** Resolves when of four that asked one leads, and the others find what it stored. */
  async shared(withinMs: number): Promise<number> {
    const [fromMs, from] = [performance.now(), this.kinds.length];
    await eventually(
      'shared',
      () => {
        const last = this.kinds.slice(Math.max(from, this.kinds.length - 100));
        return last.length === 100 && last.filter((kind) => kind === 'found').length >= 60;
      },
      withinMs,
    );
    return performance.now() - fromMs;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#underWay);
  }

  #ask(gateway: RedisGateway): void {
    const one = this.#askOnce(gateway, keyAt(Math.floor(this.#asked++ / 4)));
    this.#underWay.add(one);
    one.finally(() => this.#underWay.delete(one));
  }

  async #askOnce(gateway: RedisGateway, key: string): Promise<void> {
    const fromMs = performance.now();
    const flight = await gateway.begin(key, leftMs);
    this.tookMs.push(performance.now() - fromMs);
    this.kinds.push(flight.kind);
    if (flight.kind !== 'lead') return;
    await pause(workMs);
    await gateway.finish(key, flight.lease);
  }
}

describe('gateways that share a Redis', { concurrency: 4 }, () => {
  for (const { name, args = [], begin, tells } of someOf(redisFaults, 0)) {
    it(`which ${name} wait no longer than they may, and share again`, async (t) => {
      const redis = await startRedis(t, { args });
      const load = new FlightLoad(t, redis.url);
      await load.shared(recoverWithinMs);
      const seen = load.gateways.map(({ faults }) => faults);
      for (const faults of seen) faults.clear();
      load.tookMs.length = 0;
      const end = await begin(redis, t);
      await end();
      const tookMs = await load.shared(recoverWithinMs);
      await load.stop();
      const told = seen.map((faults) => JSON.stringify([...faults])).join(' ');
      t.diagnostic(`p99 ${load.p99Ms.toFixed(1)} ms; shared again after ${tookMs.toFixed(0)} ms; ${told}`);
      assert.ok(load.p99Ms <= longestMs + slackMs, `${load.p99Ms} ms`);
      assert.ok(tells === undefined || seen.some((faults) => faults.has(tells)), told);
    });
  }

  for (const { name, answer, tells } of someOf(impostors, 0)) {
    it(`which is none and ${name} compute for themselves`, async (t) => {
      const load = new FlightLoad(t, await startImpostor(t, answer));
      await pause(faultMs);
      await load.stop();
      assert.ok(load.kinds.length > 0);
      assert.ok(load.kinds.every((kind) => kind === 'alone'));
      assert.ok(tells === undefined || load.gateways.every(({ faults }) => faults.has(tells)));
      assert.ok(load.p99Ms <= longestMs + slackMs, `${load.p99Ms} ms`);
    });
  }

  it('which holds something else under their names compute for themselves', async (t) => {
    const redis = await startRedis(t);
    const gateway = new RedisGateway(t, redis.url);
    await eventually('connected', () => gateway.link.isConnected);
    await redis.client.lpush(`headgate:lease:${keyAt(1)}`, 'a list');
    assert.equal((await gateway.begin(keyAt(1))).kind, 'alone');
    assert.deepEqual([...gateway.faults], [['failed', 1]]);
  });

  it('which forgot their scripts teach it them again', async (t) => {
    const redis = await startRedis(t);
    const gateway = new RedisGateway(t, redis.url, { waitMs: 5_000 });
    await eventually('connected', () => gateway.link.isConnected);
    for (let round = 0; round < 3; round++) {
      await redis.client.script('FLUSH');
      const flights = await Promise.all([1, 2, 3, 4].map((at) => gateway.begin(keyAt(10 * round + at))));
      for (const flight of flights) {
        if (flight.kind !== 'lead') throw new Error(flight.kind);
        flight.lease.end('failed');
      }
    }
    assert.deepEqual([...gateway.faults], []);
  });
});
