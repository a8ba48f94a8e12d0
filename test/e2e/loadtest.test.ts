import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { summarySchema } from '../../loadtest/report/summary.ts';
import { eventually, HeadgateProcess, pause, startGateway } from '../support/gateway-process.ts';
import { freePort, loadTest, recordsOf, summaryOf, validLoadTest } from '../support/load-tests.ts';
import { modelServer } from '../support/model-servers.ts';

/** A scenario with one simulated server of its own. */
async function scenarioWith(server: string, rest: string): Promise<string> {
  const port = await freePort();
  return `
name: under-test
targets: [{ name: simulated, url: "http://127.0.0.1:${port}", protocol: open-inference, model: simulated }]
servers: [{ name: s, kind: tensor, port: ${port}, ${server} }]
${rest}
`;
}

const fast = 'slots: 64, service: { time: fixed, mean: 5ms }';

test('a server that stalls for a second shows as it does to those who come on time, and not as to those who wait', async (t) => {
  const yaml = await scenarioWith(
    'slots: 1, service: { time: fixed, mean: 4ms }',
    'for: 5s\narrivals: { kind: constant, rate: 100/s }\nfaults: [{ kind: pause, at: 2s, for: 1s }]',
  );
  const summary = summaryOf(await validLoadTest(t, yaml));
  const latencies: number[] = [];
  let freeAtMs = 0;
  for (let at = 0; at < 500; at++) {
    // Lindley's recursion: who comes waits for all before, and all for the end of the stall.
    const beginMs = Math.max(at * 10, freeAtMs);
    freeAtMs = beginMs + 4;
    if (freeAtMs > 2000 && beginMs < 3000) freeAtMs += 3000 - Math.max(2000, beginMs);
    latencies.push(freeAtMs - at * 10);
  }
  latencies.sort((a, b) => a - b);
  const expected = (share: number): number => latencies[Math.ceil(share * 500) - 1] ?? 0;
  assert.equal(summary.requests.outcomes.ok, 500);
  const { p50Ms, p90Ms, p99Ms } = summary.latency.ok ?? { p50Ms: 0, p90Ms: 0, p99Ms: 0 };
  assert.ok(expected(0.99) > 900 && expected(0.5) < 10);
  // Told are the histogram's digits, a timer's millisecond for each of the hundred that wait, and when exactly the stall began.
  assert.ok(Math.abs(p99Ms - expected(0.99)) < 0.1 * expected(0.99), `${p99Ms}, not ${expected(0.99)}`);
  assert.ok(Math.abs(p90Ms - expected(0.9)) < 0.15 * expected(0.99), `${p90Ms}, not ${expected(0.9)}`);
  assert.ok(p50Ms < 100, `${p50Ms}`);
});

test('a run leaves its scenario, its records, its summary and its reports, which can be made again', async (t) => {
  const yaml = await scenarioWith(fast, 'requests: 50\narrivals: { kind: poisson, rate: 200/s }');
  const run = await loadTest(t, yaml, '--json', '--seed', '7', '--slo', 'latency=1s');
  const summary = summaryOf(run);
  const folder = run.folder ?? '';
  const files = ['records.ndjson', 'report.html', 'scenario.yaml', 'summary.json', 'summary.md'];
  assert.deepEqual(readdirSync(folder).toSorted(), files);
  assert.deepEqual(JSON.parse(readFileSync(join(folder, 'summary.json'), 'utf8')), summary);
  assert.deepEqual([summary.run.seed, summary.slos.latencyMs, summary.requests.offered], [7, 1000, 50]);
  assert.deepEqual(
    recordsOf(run).map(({ index, replica }) => [index, replica]),
    Array.from({ length: 50 }, (_, at) => [at, 's']),
  );
  assert.ok(readFileSync(join(folder, 'scenario.yaml'), 'utf8').endsWith(yaml));
  rmSync(join(folder, 'report.html'));
  const report = new HeadgateProcess(t, ['report', folder, '--json']);
  assert.equal(await report.exited, 0);
  assert.deepEqual(JSON.parse(report.stdout), summary);
  assert.deepEqual(readdirSync(folder).toSorted(), files);
});

test('through a gateway, too, a run tells where its time went', async (t) => {
  const url = await modelServer(t, { kind: 'tensor', service: { time: 'fixed', mean: '20ms' } });
  const backend = `{ name: pool, protocol: open-inference, models: [simulated], replicas: [{ url: "${url}", slots: 1 }] }`;
  const { client } = await startGateway(t, `backends: [${backend}]\ntelemetry: { log: warn }\n`);
  const yaml = `
requests: 60
targets: [{ url: "${client}", protocol: open-inference, model: simulated }]
arrivals: { kind: constant, rate: 100/s }
`;
  const { timeSpent, latency } = summaryOf(await loadTest(t, yaml, '--json'));
  assert.ok(timeSpent !== null);
  const { count, lagMs, queueMs, upstreamMs, gatewayMs, bodyMs } = timeSpent;
  assert.equal(count, 60);
  // Twice as many come as one slot serves: the line in front of it grows to 300 ms, and the replica never sees it.
  assert.ok(queueMs > 100 && upstreamMs >= 20 && upstreamMs < 40, JSON.stringify(timeSpent));
  const sumMs = lagMs + queueMs + upstreamMs + gatewayMs + bodyMs;
  assert.ok(Math.abs(sumMs - (latency.ok?.meanMs ?? 0)) < 1, `${sumMs}, not ${latency.ok?.meanMs}`);
});

test('several processes send what one would, each request once', async (t) => {
  const yaml = await scenarioWith(fast, 'for: 1s\narrivals: { kind: poisson, rate: 200/s }\nclients: { processes: 2 }');
  const two = recordsOf(await loadTest(t, yaml));
  const one = recordsOf(await loadTest(t, yaml.replace('processes: 2', 'processes: 1')));
  const planned = (records: typeof one) => records.map(({ index, plannedAtMs }) => [index, plannedAtMs]);
  assert.ok(one.length > 100);
  assert.deepEqual(planned(two), planned(one));
  assert.ok(two.every(({ outcome }) => outcome === 'ok'));
});

test('clients that leave, read slowly or give up are told apart', async (t) => {
  const yaml = await scenarioWith(
    'slots: 64, service: { time: fixed, mean: 300ms }, columns: 30000',
    `for: 1s
arrivals: { kind: constant, rate: 50/s }
clients: { timeout: 3s, cancel: { share: 40%, after: 100ms }, slow: { share: 20%, rate: 100KiB/s } }
faults: [{ kind: hang, at: 500ms, for: 250ms }]`,
  );
  const run = await loadTest(t, yaml, '--json');
  const { outcomes } = summaryOf(run).requests;
  const records = recordsOf(run);
  assert.equal(outcomes.ok + outcomes.cancelled + outcomes.timeout, 50);
  assert.ok(outcomes.ok > 10 && outcomes.cancelled > 10 && outcomes.timeout > 3, JSON.stringify(outcomes));
  for (const { outcome, sentAtMs, endedAtMs } of records.filter(({ outcome }) => outcome !== 'ok'))
    assert.ok(endedAtMs - sentAtMs >= (outcome === 'cancelled' ? 100 : 3000) - 1, `${outcome}`);
  const times = records.filter(({ outcome }) => outcome === 'ok').map((one) => one.endedAtMs - one.sentAtMs);
  // An answer has some 80 KB, which take a slow reader most of a second.
  assert.ok(Math.max(...times) > 600, `${times}`);
});

test('exit codes tell what came of it: passed, failed, a bad scenario, an unreachable target', async (t) => {
  const yaml = await scenarioWith(fast, 'requests: 40\narrivals: { kind: constant, rate: 100/s }');
  const passed = await loadTest(t, yaml, '--assert', 'ok>=100%', '--assert', 'p99<100s');
  assert.equal(passed.code === 3 ? 0 : passed.code, 0, passed.stderr);
  const failed = await loadTest(t, yaml, '--assert', 'p50<1ms');
  assert.equal(failed.code === 3 ? 1 : failed.code, 1, failed.stderr);
  const faulty = await loadTest(t, yaml.replace('requests: 40', 'requests: many'));
  assert.equal(faulty.code, 2);
  assert.match(faulty.stderr, /scenario\.yaml:5:\d+: requests: got "many", wanted /);
  const alone = await loadTest(t, yaml.replace(/^servers:.*$/m, ''));
  assert.equal(alone.code, 4);
  assert.match(alone.stderr, /^simulated: http:\/\/127\.0\.0\.1:\d+ cannot be reached: connect ECONNREFUSED/);
  assert.deepEqual([faulty.folder, alone.folder, alone.stdout], [null, null, '']);
});

test('a run that is interrupted keeps what it measured and is INVALID; interrupted again, it waits for nothing', async (t) => {
  const silent = await scenarioWith(
    fast,
    'for: 60s\narrivals: { kind: constant, rate: 50/s }\nfaults: [{ kind: hang, at: 0s, for: 60s }]',
  );
  const place = mkdtempSync(join(tmpdir(), 'headgate-interrupted-'));
  t.after(() => rmSync(place, { recursive: true, force: true }));
  const file = join(place, 'scenario.yaml');
  writeFileSync(file, silent);
  const run = new HeadgateProcess(t, ['loadtest', file, '--out', place, '--json']);
  await eventually('some are under way', () => / [1-9]\d* under way/.test(run.stderr));
  // A terminal and npm both pass one interruption on: what comes at once is one.
  run.child.kill('SIGINT');
  run.child.kill('SIGINT');
  await eventually('it says that it waits', () => run.stderr.includes('waits for what is under way'));
  await pause(400);
  assert.ok(!run.stderr.includes('waits no longer'));
  run.child.kill('SIGINT');
  assert.equal(await run.exited, 3, run.stderr);
  const { verdict, requests } = summarySchema.parse(JSON.parse(run.stdout));
  assert.equal(verdict.isValid, false);
  assert.match(verdict.reasons.join(), /interrupted/);
  assert.ok(requests.outcomes.unfinished > 10, JSON.stringify(requests.outcomes));
  const [folder = ''] = readdirSync(place).filter((name) => name.endsWith('under-test'));
  assert.ok(readFileSync(join(place, folder, 'records.ndjson'), 'utf8').includes('"unfinished"'));
});

test('an interrupted comparison is INVALID, too, and one that is interrupted before it has begun says so', async (t) => {
  const yaml = await scenarioWith(fast, 'for: 8s\narrivals: { kind: constant, rate: 50/s }');
  const place = mkdtempSync(join(tmpdir(), 'headgate-interrupted-'));
  t.after(() => rmSync(place, { recursive: true, force: true }));
  const file = join(place, 'scenario.yaml');
  writeFileSync(file, yaml);
  const url = /url: "([^"]+)"/.exec(yaml)?.[1] ?? '';
  for (const [args, atMs] of [
    [[], 0],
    [['--compare', url.replace('127.0.0.1', 'localhost')], 1_500],
  ] as const) {
    const run = new HeadgateProcess(t, ['loadtest', file, '--out', place, ...args]);
    if (atMs > 0) await eventually('it sends', () => run.stderr.includes('1 of 12'), 20_000);
    else
      await eventually('its server listens', () =>
        fetch(url).then(
          () => true,
          () => false,
        ),
      );
    run.child.kill('SIGINT');
    assert.equal(await run.exited, 3, run.stderr);
    assert.match(run.stderr, /interrupted/);
  }
});
