import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runLoadTest } from '../../loadtest/drive/main.ts';
import { type Summary, summarySchema } from '../../loadtest/report/summary.ts';
import { HeadgateProcess } from '../support/gateway-process.ts';
import { freePort } from '../support/load-tests.ts';
import { modelServer } from '../support/model-servers.ts';

function newFolder(t: TestContext): string {
  const place = mkdtempSync(join(tmpdir(), 'headgate-loadtest-'));
  t.after(() => rmSync(place, { recursive: true, force: true }));
  return place;
}

/** A load test whose generator is this process, so that this process can hinder it. */
async function sendFromHere(t: TestContext): Promise<{ code: number; summary: Summary }> {
  const place = newFolder(t);
  const port = await freePort();
  const file = join(place, 'scenario.yaml');
  // An answer takes a second, of which a twentieth may be the generator's: enough for a machine that is busy with other things.
  writeFileSync(
    file,
    `
for: 2s
targets: [{ url: "http://127.0.0.1:${port}", protocol: open-inference, model: simulated }]
servers: [{ kind: tensor, port: ${port}, slots: 1000, service: { time: fixed, mean: 1s } }]
arrivals: { kind: poisson, rate: 100/s }
`,
  );
  let printed = '';
  const code = await runLoadTest({
    file,
    overrides: {},
    wish: { compare: false, repetitions: null, findMaxRate: false, sweep: null, measured: null },
    out: join(place, 'results'),
    screen: { everyMs: 60_000, show: () => {} },
    signal: new AbortController().signal,
    breakOff: new AbortController().signal,
    asJson: true,
    isColoured: false,
    print: (text) => {
      printed += text;
    },
    say: () => {},
  });
  return { code, summary: summarySchema.parse(JSON.parse(printed)) };
}

/** Computes for as long as that, without a pause. */
function compute(forMs: number): void {
  const untilMs = performance.now() + forMs;
  while (performance.now() < untilMs);
}

test('a generator that has to compute beside its sending is INVALID, and the same one unhindered VALID', async (t) => {
  const unhindered = await sendFromHere(t);
  assert.deepEqual(unhindered.summary.verdict.reasons, []);
  assert.equal(unhindered.code, 0);
  const computing = setInterval(() => compute(150), 300);
  t.after(() => clearInterval(computing));
  const hindered = await sendFromHere(t);
  clearInterval(computing);
  const { verdict, scheduleLag } = hindered.summary;
  assert.equal(hindered.code, 3);
  assert.equal(verdict.isValid, false);
  assert.match(verdict.reasons.join('\n'), /requests were sent .* late[\s\S]*event loop was .* late/);
  assert.ok((scheduleLag?.p99Ms ?? 0) > 100, `${scheduleLag?.p99Ms}`);
  // What is late was asked for all the same: nothing is left out to look better.
  assert.equal(hindered.summary.requests.offered, unhindered.summary.requests.offered);
});

test('a generator that may open no more files says so, and what helps', async (t) => {
  const url = await modelServer(t, { kind: 'tensor', slots: 1000, service: { time: 'fixed', mean: '500ms' } });
  const place = newFolder(t);
  const file = join(place, 'scenario.yaml');
  writeFileSync(
    file,
    `
requests: 150
targets: [{ url: "${url}", protocol: open-inference, model: simulated }]
arrivals: { kind: constant, rate: 500/s }
`,
  );
  const main = join(import.meta.dirname, '..', '..', 'gateway', 'main.ts');
  const limited = ['sh', '-c', 'ulimit -n 100; exec "$@"', 'sh', process.execPath, main] as const;
  const run = new HeadgateProcess(t, ['loadtest', file, '--out', place, '--json'], { command: [...limited] });
  assert.equal(await run.exited, 3, run.stderr);
  const { verdict, requests } = summarySchema.parse(JSON.parse(run.stdout));
  assert.ok(requests.unsent > 0 && requests.unsent < 150, `${requests.unsent}`);
  assert.match(verdict.reasons.join('\n'), /^the generator could open no more connections: EMFILE; .*\(ulimit -n\)$/m);
});
