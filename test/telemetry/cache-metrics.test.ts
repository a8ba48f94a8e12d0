import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Registry } from 'prom-client';
import { Topic } from '../../gateway/kernel/topic.ts';
import type { Exchange } from '../../gateway/pipeline/exchange.ts';
import type { CacheOutcome } from '../../gateway/pipeline/sharing.ts';
import { type CacheFacts, cacheMetrics } from '../../gateway/telemetry/cache-metrics.ts';
import { metricNames } from '../../gateway/telemetry/names.ts';
import { readExchange } from '../support/exchanges.ts';
import { readPrometheus } from '../support/prometheus.ts';

/** The metrics of a cache that holds what the test says. */
class Metering {
  readonly settled = new Topic<Exchange>();
  readonly faults = new Topic<string>();
  readonly memory = { accountedBytes: 4096, entryCount: 2 };
  readonly counts = { underWay: 1, followers: 5 };
  readonly peers = { gateways: 3 };
  readonly #registry = new Registry();

  constructor({ hasRedis = true } = {}) {
    const { settled, memory, counts, peers, faults } = this;
    const redis: CacheFacts['redis'] = hasRedis ? { faults } : null;
    cacheMetrics(this.#registry, settled, { memory, flights: { counts }, peers, redis });
  }

  settle(cache: CacheOutcome | null, count = 1): void {
    const exchange = readExchange();
    exchange.journal.cache = cache;
    for (let n = 0; n < count; n++) this.settled.publish(exchange);
  }

  /** The samples of a metric as texts: labels in order, then the value; null where there is no such metric. */
  async shown(name: string): Promise<string[] | null> {
    const family = readPrometheus(await this.#registry.metrics()).get(name);
    return family?.samples.map(({ labels, value }) => [...Object.values(labels), value].join(' ')) ?? null;
  }
}

const hit = (store: 'memory' | 'redis', isStale = false): CacheOutcome => ({
  kind: 'hit',
  store,
  freshUntilMs: 0,
  isStale,
});

describe('the metrics of the cache', () => {
  it('count requests by what became of them there, and by who had the answer', async () => {
    const metering = new Metering();
    metering.settle(null, 7);
    metering.settle(hit('memory'), 2);
    metering.settle(hit('redis'));
    metering.settle(hit('memory', true));
    metering.settle({ kind: 'forwarded', why: 'bypass' });
    for (const why of ['miss', 'request', 'stale'] as const) metering.settle({ kind: 'forwarded', why });
    metering.settle({ kind: 'forwarded', why: 'miss', isStored: true });
    metering.settle({ kind: 'forwarded', why: 'miss', isCollapsed: true });
    const wanted = ['hit memory 2', 'hit redis 1', 'stale memory 1', 'bypass none 1', 'miss none 5'];
    assert.deepEqual(await metering.shown(metricNames.cacheRequests), wanted);
    assert.deepEqual(await metering.shown(metricNames.cacheRequests), wanted, 'the same when read again');
  });

  it('show what is held, what is under way and who shares it, as they are when read', async () => {
    const metering = new Metering();
    const all = async () =>
      Promise.all(
        (['cacheBytes', 'cacheEntries', 'flights', 'flightFollowers', 'gateways'] as const).map((name) =>
          metering.shown(metricNames[name]),
        ),
      );
    assert.deepEqual(await all(), [['4096'], ['2'], ['1'], ['5'], ['3']]);
    Object.assign(metering.memory, { accountedBytes: 0, entryCount: 0 });
    Object.assign(metering.counts, { underWay: 0, followers: 6 });
    metering.peers.gateways = 1;
    assert.deepEqual(await all(), [['0'], ['0'], ['0'], ['6'], ['1']]);
  });

  it('count what went wrong with Redis, by kind, and know nothing of that where there is none', async () => {
    const metering = new Metering();
    for (const fault of ['slow', 'away', 'slow']) metering.faults.publish(fault);
    const wanted = ['slow 2', 'away 1'];
    assert.deepEqual(await metering.shown(metricNames.cacheFaults), wanted);
    assert.deepEqual(await metering.shown(metricNames.cacheFaults), wanted, 'the same when read again');
    assert.equal(await new Metering({ hasRedis: false }).shown(metricNames.cacheFaults), null);
  });
});
