import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fileWith } from '../commands/headgate.ts';
import { eventually, HeadgateProcess, startGateway } from '../support/gateway-process.ts';
import { chat, modelServer } from '../support/model-servers.ts';
import { answer, okAnswer, RawBackend } from '../support/raw-backend.ts';

/** The gateway's dialects, and what the simulated server calls them. */
const dialects = { vllm: 'vllm', sglang: 'sglang', triton: 'triton', tgi: 'tgi', 'llama.cpp': 'llama-cpp' } as const;

interface Row {
  readonly report: { readonly queued: number | null; readonly inFlight: number | null } | null;
  readonly reportSource: string | null;
  readonly reportedAt: string | null;
  readonly reportFaults: Readonly<Record<string, number>>;
}

/** The first replica of each backend, as operators see it. */
async function rowsOf(admin: string): Promise<Record<string, Row>> {
  const backends = (await (await fetch(`${admin}/api/backends`)).json()) as { name: string; replicas: Row[] }[];
  return Object.fromEntries(backends.map(({ name, replicas: [first] }) => [name, first ?? assert.fail()]));
}

/** Runs `headgate simulate-model` with one sequence that takes longer than the test; gives where. */
async function simulate(context: TestContext, metrics: string): Promise<string> {
  const profile = fileWith(
    context,
    `kind: llm\nsequences: 1\nprefill: { base: 5m }\ntells: { metrics: ${metrics}, orca: none }\n`,
    'profile.yaml',
  );
  const args = ['simulate-model', '--kind', 'llm', '--port', '0', '--profile', profile];
  const [, url = ''] = await new HeadgateProcess(context, args).prints(/server on (http:\/\/127\.0\.0\.1:\d+)/);
  return url;
}

test('operators see what waits inside replicas, read off the metrics page of each dialect', async (context) => {
  const names = Object.keys(dialects) as (keyof typeof dialects)[];
  const urls = await Promise.all(names.map((name) => simulate(context, dialects[name])));
  const backends = names.map(
    (name, at) =>
      `  - { name: ${name}, protocol: openai, models: ["${name}"], load: { scrape: { dialect: ${name}, every: 50ms } }, replicas: [{ id: a, url: "${urls[at]}" }] }\n`,
  );
  const gateway = await startGateway(context, `backends:\n${backends.join('')}`);
  await eventually('every page has been read', async () =>
    Object.values(await rowsOf(gateway.admin)).every(({ report }) => report?.queued === 0),
  );
  // Nobody waits for them; they end with the servers.
  for (const url of urls) for (let n = 0; n < 3; n++) chat(url).catch(() => {});
  await eventually('every queue is seen', async () =>
    Object.values(await rowsOf(gateway.admin)).every(({ report }) => report?.queued === 2),
  );
  for (const [name, { report, reportSource, reportedAt, reportFaults }] of Object.entries(
    await rowsOf(gateway.admin),
  )) {
    assert.deepEqual([report?.queued, report?.inFlight, reportSource, reportFaults], [2, 3, 'scrape', {}], name);
    const agoMs = performance.timeOrigin + performance.now() - Date.parse(reportedAt ?? '');
    assert.ok(agoMs > -10 && agoMs < 5_000, `${name}: ${agoMs} ms ago`);
    assert.equal(await gateway.metric('headgate_replica_reported_queue', { backend: name }), 2, name);
  }
});

test('a metrics page may stand on another port, as Triton’s does', async (context) => {
  const page = await modelServer(context, { kind: 'tensor' });
  const { url } = await RawBackend.start(context, ({ socket }) => socket.write(okAnswer('{}')));
  const load = `load: { scrape: { dialect: triton, port: ${new URL(page).port}, every: 20ms } }`;
  const replicas = `replicas: [{ id: a, url: "${url}/prefix" }]`;
  const gateway = await startGateway(
    context,
    `backends:\n  - { name: pool, protocol: open-inference, models: [m], health: { path: / }, ${load}, ${replicas} }\n`,
  );
  await eventually('the page is read', async () => (await rowsOf(gateway.admin)).pool?.report?.queued === 0);
  assert.equal(await gateway.process.stop(), 0);
});

test('what cannot be read is told once, with the replica and the page, and counted; requests go on', async (context) => {
  let metrics = answer('404 Not Found', 'no');
  const lying = await RawBackend.start(context, ({ socket, line }) => {
    const isPage = line.startsWith('GET /metrics');
    socket.write(isPage ? metrics : answer('200 OK', '{}', 'endpoint-load-metrics: TEXT named_metrics.slots=NaN'));
  });
  const replicas = `replicas: [{ id: a, url: "${lying.url}" }]`;
  const gateway = await startGateway(
    context,
    `backends:\n  - { name: pool, protocol: open-inference, models: [m], load: { scrape: { dialect: vllm, every: 20ms } }, ${replicas} }\n`,
  );
  const faults = (kind: string): Promise<number> => gateway.metric('headgate_report_faults_total', { kind });
  const told = (message: RegExp): Record<string, unknown>[] =>
    gateway.process.log.filter(({ msg }) => message.test(String(msg)));
  await eventually('many readings have failed', async () => (await faults('page_unreachable')) > 10);
  metrics = okAnswer('tgi_queue_size 3\n');
  await eventually('many pages were of another dialect', async () => (await faults('page_unknown')) > 10);
  metrics = okAnswer('vllm:num_requests_waiting 3\n');
  await eventually('the page is read', async () => (await rowsOf(gateway.admin)).pool?.report?.queued === 3);
  for (let n = 0; n < 5; n++) {
    const { status } = await fetch(`${gateway.client}/v2/models/m/infer`, { method: 'POST', body: '{}' });
    assert.equal(status, 200);
  }
  assert.equal(await faults('bad_value'), 5);
  await eventually('all is in the log', () => told(/^exchange$/).length === 5);
  const page = { replica: 'pool/a', page: `${lying.url}/metrics` };
  assert.deepEqual(
    told(/metrics page/).map(({ level, replica, page: at, reason }) => ({ level, replica, page: at, reason })),
    [
      { level: 40, ...page, reason: 'status 404' },
      { level: 30, ...page, reason: undefined },
    ],
  );
  assert.deepEqual(
    told(/load report/).map(({ level, replica, kind, reason }) => [level, replica, kind, reason]),
    [[40, 'pool/a', 'bad_value', 'named_metrics.slots is NaN']],
  );
});
