import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Backend } from '../../gateway/balance/backend.ts';
import { Topic } from '../../gateway/kernel/topic.ts';
import type { Exchange } from '../../gateway/pipeline/exchange.ts';
import type { Journal } from '../../gateway/pipeline/journal.ts';
import type { TryFact } from '../../gateway/pipeline/try-fact.ts';
import { gatewayMetrics } from '../../gateway/telemetry/metrics.ts';
import { metricNames } from '../../gateway/telemetry/names.ts';
import { workerMetrics } from '../../gateway/telemetry/worker-metrics.ts';
import { newBackend } from '../support/backends.ts';
import { Dispatching } from '../support/dispatching.ts';
import { readExchange } from '../support/exchanges.ts';
import { type Family, readPrometheus } from '../support/prometheus.ts';
import { hold, newReplicas, tellLoad } from '../support/replicas.ts';

/** Metrics of some backends, and what is told to them. */
class Metering {
  readonly settled = new Topic<Exchange>();
  readonly tried = new Topic<TryFact>();
  readonly secondReleases = { count: 0 };
  readonly reloads = { counts: { success: 0, failure: 0 }, isLastSuccessful: true };
  readonly redisFaults = new Topic<string>();
  readonly cache = {
    memory: { accountedBytes: 4096, entryCount: 2 },
    flights: { counts: { underWay: 1, followers: 5 } },
    peers: { gateways: 3 },
    redis: { faults: this.redisFaults },
  };
  readonly #registry;

  constructor(backends: readonly Backend[] = []) {
    const { settled, tried, secondReleases, reloads, cache } = this;
    this.#registry = gatewayMetrics({ backends: () => backends, settled, tried, secondReleases, reloads, cache });
  }

  settle(journal: Partial<Journal>): void {
    const exchange = readExchange();
    Object.assign(exchange.journal, journal);
    this.settled.publish(exchange);
  }

  async families(): Promise<Map<string, Family>> {
    return readPrometheus(await this.#registry.metrics());
  }

  /** The samples of a metric as texts: labels in order, then the value. */
  async shown(name: string): Promise<string[]> {
    const { samples } = (await this.families()).get(name) ?? assert.fail(`no ${name}`);
    return samples.map(({ labels, value }) => [...Object.values(labels), value].join(' '));
  }
}

describe('the gateway’s metrics', () => {
  it('count exchanges by backend, status and source', async () => {
    const metering = new Metering();
    for (let n = 0; n < 3; n++) metering.settle({ backend: 'pool', status: 200, source: 'upstream' });
    metering.settle({ backend: 'pool', status: 500, source: 'upstream' });
    metering.settle({ backend: 'pool', status: 503, source: 'refused', code: 'queue_full' });
    metering.settle({ status: 404, code: 'model_not_found' });
    assert.deepEqual(await metering.shown(metricNames.requests), [
      'pool 200 upstream 3',
      'pool 500 upstream 1',
      'pool 503 refused 1',
      'none 404 refused 1',
    ]);
    assert.deepEqual(await metering.shown(metricNames.refusals), ['queue_full 1', 'model_not_found 1']);
  });

  it('count the tokens that answers say they took, by backend, where any says so', async () => {
    const metering = new Metering();
    metering.settle({ backend: 'llm', status: 200, inputTokens: 12, outputTokens: 34 });
    metering.settle({ backend: 'llm', status: 200, inputTokens: 3, outputTokens: 0 });
    metering.settle({ backend: 'embed', status: 200, inputTokens: 7 });
    metering.settle({ backend: 'digits', status: 200 });
    const wanted = ['llm input 15', 'llm output 34', 'embed input 7', 'embed output 0'];
    assert.deepEqual(await metering.shown(metricNames.tokens), wanted);
    assert.deepEqual(await metering.shown(metricNames.tokens), wanted, 'the same when read again');
  });

  it('show the same when they are read again', async () => {
    const metering = new Metering();
    metering.settle({ backend: 'pool', status: 200, source: 'upstream' });
    assert.deepEqual(await metering.families(), await metering.families());
  });

  it('tell the gateway’s own time from waiting and from the replica’s', async () => {
    const metering = new Metering();
    const times = { readAtMs: 10, sentAtMs: 50, queueWaitMs: 35, headAtMs: 150, firstByteAtMs: 152, endedAtMs: 200 };
    metering.settle({ backend: 'pool', status: 200, source: 'upstream', tries: 1, ...times });
    const sumOf = async (name: string): Promise<number> => {
      const { samples } = (await metering.families()).get(name) ?? assert.fail(`no ${name}`);
      return samples.find((one) => one.name === `${name}_sum`)?.value ?? -1;
    };
    assert.equal(await sumOf(metricNames.overhead), 0.007);
    assert.equal(await sumOf(metricNames.queueWait), 0.035);
    assert.equal(await sumOf(metricNames.timeToFirstByte), 0.152);
    assert.equal(await sumOf(metricNames.requestDuration), 0.2);
  });

  it('count tries by kind and outcome', async () => {
    const metering = new Metering();
    for (const outcome of ['succeeded', 'succeeded', 'failed'] as const)
      metering.tried.publish({ backendName: 'pool', outcome, kind: 'first' });
    metering.tried.publish({ backendName: 'pool', outcome: 'refused', kind: 'retry' });
    assert.deepEqual(await metering.shown(metricNames.tries), [
      'pool succeeded first 2',
      'pool failed first 1',
      'pool refused retry 1',
    ]);
  });

  it('show what replicas and lines hold at the moment they are read', async () => {
    const replicas = newReplicas({ slots: 1, inFlight: 1 }, { standing: 'unready' });
    const dispatching = new Dispatching(replicas);
    const metering = new Metering([newBackend('pool', { replicas, dispatching })]);
    hold(replicas[0]);
    dispatching.take();
    tellLoad(replicas[0], { queued: 4 });
    assert.deepEqual(await metering.shown(metricNames.replicaInFlight), ['pool a 2', 'pool b 0']);
    assert.deepEqual(await metering.shown(metricNames.queueDepth), ['pool 1']);
    assert.deepEqual(await metering.shown(metricNames.replicaReportedQueue), ['pool a 4']);
    assert.deepEqual(await metering.shown(metricNames.replicaGate), ['pool a passing 1', 'pool b passing 1']);
    replicas[1]?.state.setStanding('ready', 'well again');
    assert.deepEqual(await metering.shown(metricNames.replicaStanding), ['pool a ready 1', 'pool b ready 1']);
  });

  it('count what could not be read of a replica’s load, by its kind, the same when read again', async () => {
    const replicas = newReplicas({}, {});
    const metering = new Metering([newBackend('pool', { replicas })]);
    assert.deepEqual(await metering.shown(metricNames.reportFaults), []);
    replicas[0].state.reportFaults.note('bad_value', 'slots is -1');
    replicas[0].state.reportFaults.note('bad_value', 'slots is -1');
    replicas[1]?.state.reportFaults.count('page_unknown');
    for (const _ of [1, 2])
      assert.deepEqual(await metering.shown(metricNames.reportFaults), ['pool a bad_value 2', 'pool b page_unknown 1']);
  });

  it('count leases released twice from 0', async () => {
    const metering = new Metering();
    assert.deepEqual(await metering.shown(metricNames.leasesReleasedTwice), ['0']);
    metering.secondReleases.count = 2;
    assert.deepEqual(await metering.shown(metricNames.leasesReleasedTwice), ['2']);
  });

  it('tell how the configuration was read again, from the start on', async () => {
    const metering = new Metering();
    assert.deepEqual(await metering.shown(metricNames.configReloads), ['success 0', 'failure 0']);
    assert.deepEqual(await metering.shown(metricNames.configLastReload), ['1']);
    metering.reloads.counts.failure = 2;
    metering.reloads.isLastSuccessful = false;
    assert.deepEqual(await metering.shown(metricNames.configReloads), ['success 0', 'failure 2']);
    assert.deepEqual(await metering.shown(metricNames.configLastReload), ['0']);
  });

  it('are all in the text format, under their names, in base units and with help', async () => {
    const metering = new Metering([newBackend('pool', { replicas: newReplicas({}) })]);
    metering.settle({ backend: 'pool', status: 200, source: 'upstream', tries: 1 });
    const families = await metering.families();
    const wanted = Object.values(metricNames).filter((name) => !name.startsWith('headgate_worker_'));
    assert.deepEqual([...families.keys()].toSorted(), wanted.toSorted());
    for (const [name, { type, help }] of families) {
      assert.match(help, /^[A-Z].*\.$/, name);
      if (type === 'counter') assert.match(name, /_total$/);
      if (type === 'histogram') assert.match(name, /_seconds$/);
    }
  });
});

it('a worker’s metrics count batches by model, and show what waits', async () => {
  let queued = 3;
  const { registry, batch } = workerMetrics(() => queued);
  batch('digits', 8, 2);
  batch('digits', 1, 4);
  queued = 5;
  const families = readPrometheus(await registry.metrics());
  const figure = (family: string, name: string): number | undefined =>
    families.get(family)?.samples.find((one) => one.name === name)?.value;
  assert.equal(figure(metricNames.workerBatchSize, 'headgate_worker_batch_size_sum'), 9);
  assert.equal(figure(metricNames.workerBatchSize, 'headgate_worker_batch_size_count'), 2);
  assert.equal(figure(metricNames.workerInference, 'headgate_worker_inference_seconds_sum'), 0.006);
  assert.equal(figure(metricNames.workerQueueDepth, 'headgate_worker_queue_depth'), 5);
});
