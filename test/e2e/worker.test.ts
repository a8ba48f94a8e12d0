import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { ThreadEngine } from '../../gateway/worker/engine.ts';
import { eventually, pause, startGateway, sumOfMetric } from '../support/gateway-process.ts';
import { faultyFiles, modelFiles, wide, writeFiles } from '../support/test-models.ts';
import { type RunningWorker, startWorker } from '../support/worker-process.ts';

const models = modelFiles();
const some = (...names: readonly string[]) =>
  Object.fromEntries(Object.entries(models).filter(([file]) => names.includes(file.split('/')[0] ?? '')));

const slowBody = JSON.stringify({ inputs: [{ name: 'x', shape: [1, 1], datatype: 'FP32', data: [1] }] });
const body = JSON.stringify({ inputs: [{ name: 'x', shape: [1, 2], datatype: 'FP32', data: [1, 2] }] });

function infer(base: string, model: string, signal: AbortSignal | null = null): Promise<Response> {
  return fetch(`${base}/v2/models/${model}/infer`, {
    method: 'POST',
    body: model === 'slow' ? slowBody : body,
    signal,
  });
}

async function metric(base: string, name: string): Promise<number> {
  return sumOfMetric(await (await fetch(`${base}/metrics`)).text(), name, {});
}

/** Starts a request that takes a while, and resolves with its answer to come once it is being computed or waits behind `waiting` others. */
async function underWay(worker: RunningWorker, waiting: number, signal: AbortSignal | null = null) {
  const answer = infer(worker.url, 'slow', signal);
  answer.catch(() => {});
  if (waiting > 0)
    await eventually(
      'the request waits',
      async () => (await metric(worker.url, 'headgate_worker_queue_depth')) === waiting,
    );
  else await eventually('the request is computed', async () => (await reportOf(worker)).in_flight === 1);
  return { answer };
}

async function reportOf({ url }: RunningWorker): Promise<Record<string, number>> {
  const { headers } = await fetch(`${url}/v2/health/live`);
  return JSON.parse((headers.get('endpoint-load-metrics') ?? '').replace('JSON ', '')).named_metrics;
}

const startSlow = (context: TestContext) => startWorker(context, writeFiles(context, some('slow', 'adder')));

describe('a worker that is told to end', () => {
  test('finishes what it computes and what waits, takes nothing new, and exits 0', async (t) => {
    const worker = await startSlow(t);
    const first = await underWay(worker, 0);
    const second = await underWay(worker, 1);
    worker.process.child.kill('SIGTERM');
    await eventually('nobody is let in any more', async () => !(await infer(worker.url, 'adder').catch(() => null)));
    for (const { answer } of [first, second]) {
      const response = await answer;
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('connection'), 'close');
      assert.deepEqual(((await response.json()) as { outputs: { data: number[] }[] }).outputs[0]?.data, [1]);
    }
    assert.equal(await worker.process.exited, 0);
  });

  test('exits 0 also where the client of what it computes has left', async (t) => {
    const worker = await startSlow(t);
    const leaving = new AbortController();
    const { answer } = await underWay(worker, 0, leaving.signal);
    leaving.abort();
    await assert.rejects(answer);
    assert.equal(await worker.process.stop(), 0);
  });

  test('exits 0 at once when it has nothing to do, although connections are open', async (t) => {
    const worker = await startSlow(t);
    const agent = new Agent({ keepAlive: true });
    t.after(() => agent.destroy());
    await new Promise<void>((resolve, reject) => {
      request(`${worker.url}/v2`, { agent }, (response) => response.resume().on('end', resolve))
        .on('error', reject)
        .end();
    });
    const startedAtMs = performance.now();
    assert.equal(await worker.process.stop(), 0);
    assert.ok(performance.now() - startedAtMs < 2000);
  });
});

test('a request whose client leaves while it waits is not computed', async (t) => {
  const worker = await startSlow(t);
  const first = await underWay(worker, 0);
  const leaving = new AbortController();
  const second = await underWay(worker, 1, leaving.signal);
  leaving.abort();
  await assert.rejects(second.answer);
  await eventually(
    'it does not wait any more',
    async () => (await metric(worker.url, 'headgate_worker_queue_depth')) === 0,
  );
  assert.equal((await reportOf(worker)).in_flight, 1, 'while the first is still being computed');
  assert.equal((await first.answer).status, 200);
  assert.equal(await metric(worker.url, 'headgate_worker_batch_size_count'), 1);
});

test('a client that leaves the gateway leaves the queue of the worker, too', async (t) => {
  const worker = await startSlow(t);
  const { client, metric: gatewayMetric } = await startGateway(
    t,
    `backends: [{ name: s, protocol: open-inference, models: [slow], replicas: [{ url: "${worker.url}" }] }]\n`,
  );
  await eventually('the gateway is ready', async () => (await fetch(`${client}/v2/health/ready`)).ok);
  const first = await underWay(worker, 0);
  const leaving = new AbortController();
  const second = infer(client, 'slow', leaving.signal);
  second.catch(() => {});
  await eventually('it waits', async () => (await metric(worker.url, 'headgate_worker_queue_depth')) === 1);
  leaving.abort();
  await assert.rejects(second);
  await eventually('it waits no more', async () => (await metric(worker.url, 'headgate_worker_queue_depth')) === 0);
  assert.equal((await first.answer).status, 200);
  await eventually('nothing is in flight', async () => (await gatewayMetric('headgate_replica_in_flight')) === 0);
});

test('a worker whose engine has died ends, so that another can take its place', async (t) => {
  const preload = join(
    writeFiles(t, {
      'preload.mjs': `import { isMainThread, parentPort } from 'node:worker_threads';
if (!isMainThread) parentPort.on('message', ({ kind, inputs }) => kind === 'run' && inputs[0].shape[0] === 3 && process.exit(9));
`,
    }),
    'preload.mjs',
  );
  const folder = writeFiles(t, some('adder'));
  const worker = await startWorker(t, folder, { NODE_OPTIONS: `--import=${preload}` });
  assert.equal((await infer(worker.url, 'adder')).status, 200);
  const fatal = { inputs: [{ name: 'x', shape: [3, 2], datatype: 'FP32', data: [1, 2, 3, 4, 5, 6] }] };
  const asked = fetch(`${worker.url}/v2/models/adder/infer`, { method: 'POST', body: JSON.stringify(fatal) });
  const end = await asked.then(
    ({ status }) => status,
    () => 'broken off',
  );
  assert.ok(end === 500 || end === 'broken off', `${end}`);
  assert.equal(await worker.process.exited, 1);
  assert.match(worker.process.stderr, /the engine's thread exited with code 9/);
});

test('a folder in which something is broken is served but for that, and the log names it', async (t) => {
  const folder = writeFiles(t, { ...some('adder', 'sum'), ...faultyFiles });
  const worker = await startWorker(t, folder);
  const named = worker.process.log.filter(({ level }) => Number(level) >= 50).map(({ model }) => model);
  assert.deepEqual(named.toSorted(), ['bad-card', 'broken', 'empty', 'half-broken', 'list-card', 'no-file', 'no-yaml']);
  assert.equal((await infer(worker.url, 'adder')).status, 200);
  assert.equal((await fetch(`${worker.url}/v2/models/broken/ready`)).status, 503);
  assert.equal((await fetch(`${worker.url}/v2/models/half-broken/ready`)).status, 200);
  assert.equal((await fetch(`${worker.url}/v2/health/ready`)).status, 200);
});

test('a computation that fails leaves nothing on the stream of the log but the log', async (t) => {
  const worker = await startWorker(t, writeFiles(t, some('picky')));
  const bad = { inputs: [{ name: 'x', shape: [1], datatype: 'INT64', data: [7] }] };
  const { status } = await fetch(`${worker.url}/v2/models/picky/infer`, { method: 'POST', body: JSON.stringify(bad) });
  assert.equal(status, 400);
  assert.equal(await worker.process.stop(), 0);
  assert.deepEqual(
    worker.process.stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{')),
    [],
  );
});

test('threads that wait for the next computation use no processor', async (t) => {
  const engine = new ThreadEngine({ threads: 2, onEnd: () => {} });
  t.after(() => engine.close());
  await engine.load('wide', join(writeFiles(t, { 'model.onnx': wide() }), 'model.onnx'));
  const input = { name: 'x', datatype: 'FP32', shape: [64, 256], data: new Uint8Array(64 * 256 * 4) } as const;
  await engine.run('wide', [input]);
  const before = process.cpuUsage();
  for (let n = 0; n < 20; n++) {
    await engine.run('wide', [input]);
    await pause(20);
  }
  const { user, system } = process.cpuUsage(before);
  const usedMs = (user + system) / 1000;
  // About 20 ms; with threads that spin, 400 ms.
  assert.ok(usedMs < 200, `${usedMs} ms`);
});
