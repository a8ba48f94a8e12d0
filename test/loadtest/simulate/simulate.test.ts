import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MeasuredRun } from '../../../loadtest/drive/run.ts';
import type { RequestRecord } from '../../../loadtest/measure/record.ts';
import { gatewaysOf, scenarioOf, simulated } from '../../support/simulations.ts';

/** One server or two, asked directly, or behind a gateway where the target is at no server's port. */
function tensorScenario(rest: string, { url = 'http://127.0.0.1:8101', first = '' } = {}) {
  return scenarioOf(`
targets: [{ name: t, url: "${url}", protocol: open-inference, model: simulated }]
payloads: { kind: same, tensor: { shape: [4] } }
servers:
  - { name: a, port: 8101, kind: tensor, ${first || 'slots: 64, service: { time: fixed, mean: 20ms }'} }
  - { name: b, port: 8102, kind: tensor, slots: 64, service: { time: fixed, mean: 20ms } }
${rest}`);
}

const behind = { url: 'http://gateway:8080' };

function gatewayTo(ids: readonly string[], more = '', protocol = 'open-inference') {
  const replicas = ids.map((id) => `{ id: ${id}, url: "http://127.0.0.1:${id === 'a' ? 8101 : 8102}" }`);
  return gatewaysOf({
    t: `
backends:
  - name: pool
    protocol: ${protocol}
    models: [simulated]
    replicas: [${replicas.join(', ')}]
    ${more}`,
  });
}

const every10Ms = 'arrivals: { kind: constant, rate: 100/s }';
const everywhere = [
  ['directly', {}, new Map()],
  ['through a gateway', behind, gatewayTo(['a'])],
] as const;

function near(value: number | null, wanted: number, what = ''): void {
  assert.ok(value !== null && Math.abs(value - wanted) < 1e-6, `${what} ${value}, not ${wanted}`);
}

const latencyOf = ({ endedAtMs, plannedAtMs }: RequestRecord): number => endedAtMs - plannedAtMs;
const outcomesOf = ({ records }: MeasuredRun): string[] => records.map(({ outcome }) => outcome);

test('a run is told to be simulated, and by whom it was answered', async () => {
  const { summary } = await simulated(tensorScenario(`for: 1s\n${every10Ms}`, behind), gatewayTo(['a', 'b']));
  assert.equal(summary.run.isSimulated, true);
  assert.deepEqual([summary.verdict.isValid, summary.verdict.eventLoopDelayP99Ms], [true, null]);
  assert.deepEqual(
    summary.replicas.map(({ name, requests }) => [name, requests]),
    [
      ['pool/a', 50],
      ['pool/b', 50],
    ],
  );
  near(summary.latency.ok?.maxMs ?? null, 20);
});

const busy = `
seed: 7
for: 20s
arrivals: { kind: poisson, rate: 100/s }
clients: { cancel: { share: 10%, after: 15ms }, slow: { share: 10%, rate: 2KiB/s }, timeout: 2s }
faults:
  - { kind: slow, by: 3, at: 2s, for: 3s, server: a }
  - { kind: fail, share: 30%, at: 6s, for: 1s }
  - { kind: reset, share: 20%, at: 8s, for: 1s }
  - { kind: hang, share: 5%, at: 10s, for: 1s }
  - { kind: refuse, at: 12s, for: 2s, server: b }
  - { kind: interruption, at: 15s, notice: 1s, for: 2s, server: a }`;

test('the same seed gives the same summary and records, byte for byte but for when it was made; another gives others', async () => {
  const scenario = tensorScenario(busy, { ...behind, first: 'slots: 2, service: { time: exponential, mean: 15ms }' });
  const once = async (seed: number): Promise<string> => {
    const { summary, records } = await simulated({ ...scenario, seed }, gatewayTo(['a', 'b']));
    return JSON.stringify([{ ...summary, run: { ...summary.run, startedAt: '' } }, records]);
  };
  const first = await once(7);
  assert.equal(await once(7), first);
  assert.notEqual(await once(8), first);
  const { requests } = (JSON.parse(first) as [MeasuredRun['summary']])[0];
  for (const outcome of ['ok', 'cancelled', 'upstream_error', 'timeout'] as const)
    assert.ok(requests.outcomes[outcome] > 0, `${outcome}: ${JSON.stringify(requests.outcomes)}`);
});

test("through a gateway with one replica each request waits as long as without, in whoever's line", async () => {
  const first = 'slots: 2, service: { time: exponential, mean: 15ms }';
  const rest = 'requests: 3000\narrivals: { kind: poisson, rate: 100/s }';
  const direct = await simulated(tensorScenario(rest, { first }));
  const through = (more: string) => simulated(tensorScenario(rest, { first, ...behind }), gatewayTo(['a'], more));
  // Told of no slots, the gateway hands on whatever comes; told of two, it keeps what would only wait there.
  const [atTheServer, atTheGateway] = [await through('load: { report: false }'), await through('')];
  assert.equal(direct.records.length, 3000);
  let waited = 0;
  let arrivedLater = 0;
  for (const [at, { arrivedAtMs, queueMs, upstreamMs, endedAtMs }] of direct.records.entries()) {
    const [there, here] = [atTheServer.records[at], atTheGateway.records[at]];
    near(there?.arrivedAtMs ?? null, arrivedAtMs ?? Number.NaN, `arrival of ${at}:`);
    near(there?.endedAtMs ?? null, endedAtMs, `end of ${at}:`);
    near(here?.endedAtMs ?? null, endedAtMs, `end of ${at}:`);
    // A gateway tells its own queue, and the server's with the server, in tenths of milliseconds.
    const spentMs = (queueMs ?? 0) + (upstreamMs ?? 0);
    assert.equal(there?.queueMs, 0);
    for (const one of [there, here]) assert.ok(Math.abs((one?.queueMs ?? 0) + (one?.upstreamMs ?? 0) - spentMs) < 0.11);
    if ((queueMs ?? 0) > 1) waited += 1;
    if ((here?.arrivedAtMs ?? 0) > (arrivedAtMs ?? 0) + 1) arrivedLater += 1;
  }
  assert.ok(waited > 500 && arrivedLater > 100, `${waited} waited, ${arrivedLater} of them elsewhere`);
});

for (const [how, where, gateways] of everywhere) {
  test(`faults befall requests at their times: ${how}`, async () => {
    const faults = `for: 4s
${every10Ms}
clients: { timeout: 500ms }
faults:
  - { kind: fail, status: 500, at: 1s, for: 200ms }
  - { kind: reset, at: 2s, for: 100ms }
  - { kind: hang, at: 3s, for: 50ms }`;
    const run = await simulated(tensorScenario(faults, where), gateways);
    const { outcomes } = run.summary.requests;
    assert.deepEqual(
      [outcomes.ok, outcomes.upstream_error, outcomes.timeout],
      [400 - 35, 30, 5],
      JSON.stringify(outcomes),
    );
    for (const record of run.records.filter(({ outcome }) => outcome === 'timeout')) near(latencyOf(record), 500);
  });

  test(`clients that leave do so at their time, and take their place in the line along: ${how}`, async () => {
    const first = 'slots: 1, service: { time: fixed, mean: 40ms }';
    const rest =
      'requests: 200\narrivals: { kind: constant, rate: 50/s }\nclients: { cancel: { share: 60%, after: 5ms } }';
    const run = await simulated(tensorScenario(rest, { first, ...where }), gateways);
    const left = run.records.filter(({ outcome }) => outcome === 'cancelled');
    assert.ok(left.length > 90 && left.length < 150, `${left.length}`);
    for (const record of left) near(latencyOf(record), 5);
    // Lindley's recursion: whoever leaves the line costs nothing, what has been begun for somebody is computed to its end.
    let freeAtMs = 0;
    for (const { plannedAtMs, outcome, endedAtMs } of run.records) {
      const hasLeft = outcome === 'cancelled';
      if (hasLeft && freeAtMs >= plannedAtMs + 5) continue;
      freeAtMs = Math.max(plannedAtMs, freeAtMs) + 40;
      if (!hasLeft) near(endedAtMs, freeAtMs, `end of one planned at ${plannedAtMs}:`);
    }
  });

  test(`slow readers take as long as their bytes need, and nobody else does: ${how}`, async () => {
    const first = 'slots: 64, service: { time: fixed, mean: 20ms }, columns: 30000';
    const rest = `requests: 50\n${every10Ms}\nclients: { slow: { share: 30%, rate: 100KiB/s } }`;
    const { records } = await simulated(tensorScenario(rest, { first, ...where }), gateways);
    const sizeBytes = records[0]?.bytes ?? 0;
    assert.ok(sizeBytes > 65_536 && records.every(({ bytes, outcome }) => bytes === sizeBytes && outcome === 'ok'));
    // The head is there after 20 ms, and all but the last piece of 16 KiB are waited for.
    const slow = records.filter((record) => latencyOf(record) > 30);
    assert.ok(slow.length > 5 && slow.length < 30, `${slow.length}`);
    for (const record of slow) near(latencyOf(record), 20 + (1000 * sizeBytes) / 102_400);
    for (const record of records.filter((one) => !slow.includes(one))) near(latencyOf(record), 20);
  });

  test(`a closed loop keeps its requests under way: ${how}`, async () => {
    const run = await simulated(
      tensorScenario('for: 10s\narrivals: { kind: closed, concurrency: 8 }', where),
      gateways,
    );
    assert.equal(run.summary.requests.offered, (8 * 10_000) / 20);
  });
}

const llm = `
targets: [{ name: t, url: URL, protocol: openai, model: simulated }]
requests: 40
arrivals: { kind: constant, rate: 1/s }
payloads: { kind: unique, chat: { prompt_tokens: 100, output_tokens: 20, stream: true } }
servers:
  - name: a
    port: 8101
    kind: llm
    prefix_cache: false
    prefill: { base: 30ms, per_token: 0ms, spread: 0ms }
    inter_token: { mean: 7ms, spread: 0ms }
    full_batch: 1
`;

for (const [how, url, gateways] of [
  ['directly', 'http://127.0.0.1:8101', new Map()],
  ['through a gateway', 'http://gateway:80', gatewayTo(['a'], '', 'openai')],
] as const)
  test(`tokens of a stream come at their instants: ${how}`, async () => {
    const { records, summary } = await simulated(scenarioOf(llm.replace('URL', url)), gateways);
    assert.equal(summary.requests.outcomes.ok, 40);
    for (const { plannedAtMs, firstTokenAtMs, tokenGapsMs, outputTokens, endedAtMs } of records) {
      near((firstTokenAtMs ?? 0) - plannedAtMs, 30, 'time to first token:');
      assert.deepEqual([outputTokens, tokenGapsMs.length], [20, 19]);
      for (const gapMs of tokenGapsMs) near(gapMs, 7, 'between tokens:');
      near(endedAtMs - plannedAtMs, 30 + 19 * 7, 'end:');
    }
  });

test('a stream that breaks off in its middle is an error, whoever stands between', async () => {
  const broken = `${llm}faults: [{ kind: reset, after_tokens: 5 }]`;
  for (const [url, gateways] of [
    ['http://127.0.0.1:8101', new Map()],
    ['http://gateway:80', gatewayTo(['a'], '', 'openai')],
  ] as const) {
    const { records } = await simulated(scenarioOf(broken.replace('URL', url)), gateways);
    assert.ok(records.every(({ outcome, outputTokens }) => outcome === 'upstream_error' && outputTokens === 5));
    for (const { plannedAtMs, endedAtMs } of records) near(endedAtMs - plannedAtMs, 30 + 4 * 7);
  }
});

test('a server that takes no connections is unreachable directly, and passed by where a gateway knows another', async () => {
  const rest = `for: 3s\n${every10Ms}\nfaults: [{ kind: refuse, server: a, at: 1s, for: 1s }]`;
  const direct = await simulated(tensorScenario(rest));
  assert.deepEqual(direct.summary.requests.outcomes.unreachable, 100);
  const through = await simulated(tensorScenario(rest, behind), gatewayTo(['a', 'b']));
  assert.equal(through.summary.requests.outcomes.ok, 300, outcomesOf(through).join());
});

test('a server that declines is left alone by a gateway for a while, and serves all who come after that', async () => {
  const rest = `for: 6s\n${every10Ms}\nfaults: [{ kind: fail, status: 503, server: a, at: 1s, for: 200ms }]`;
  const direct = await simulated(tensorScenario(rest));
  assert.equal(direct.summary.requests.outcomes.shed, 20);
  const { records } = await simulated(tensorScenario(rest, behind), gatewayTo(['a']));
  const shed = records.filter(({ outcome }) => outcome === 'shed');
  const asked = shed.filter(({ replica }) => replica === 'pool/a');
  assert.ok(shed.length > 20 && asked.length < 5, `${shed.length} turned away, ${asked.length} of them by the server`);
  assert.ok(
    records.every(({ outcome, plannedAtMs }) => outcome === 'ok' || (outcome === 'shed' && plannedAtMs < 3000)),
  );
});

test('health checks find a server that comes up again', async () => {
  const rest = `for: 8s\n${every10Ms}\nfaults: [{ kind: cold_start, server: a, for: 3s }]`;
  const health = 'health: { every: 200ms, unhealthy: 1, healthy: 1 }\n    breaker: { slow_start: 0s }';
  const { records } = await simulated(tensorScenario(rest, behind), gatewayTo(['a', 'b'], health));
  const byA = (fromMs: number, untilMs: number): number =>
    records.filter((one) => one.replica === 'pool/a' && one.plannedAtMs >= fromMs && one.plannedAtMs < untilMs).length;
  assert.equal(byA(1000, 3000), 0);
  assert.ok(byA(4000, 8000) > 150, `${byA(4000, 8000)}`);
});

test('what a gateway refuses has its status: no route, no room in the line', async () => {
  const first = 'slots: 1, service: { time: fixed, mean: 1s }';
  const rest = 'requests: 100\narrivals: { kind: constant, rate: 100/s }';
  const small = gatewaysOf({
    t: `
backends:
  - name: pool
    protocol: open-inference
    models: [simulated]
    replicas: [{ id: a, slots: 1, url: "http://127.0.0.1:8101" }]
    queue: { max: 3, wait: 60s }`,
  });
  const { summary } = await simulated(tensorScenario(rest, { first, ...behind }), small);
  const { ok, shed } = summary.requests.outcomes;
  assert.ok(ok >= 4 && ok <= 6 && shed === 100 - ok, `${ok} ok, ${shed} shed`);
  const scenario = tensorScenario(rest, behind);
  const elsewhere = { ...scenario, targets: scenario.targets.map((one) => ({ ...one, model: 'another' })) };
  const { records } = await simulated(elsewhere, gatewayTo(['a']));
  assert.ok(records.every(({ status }) => status === 404));
});
