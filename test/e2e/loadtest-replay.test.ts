import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseTrace } from '../../loadtest/arrivals/parse-trace.ts';
import { planOf } from '../../loadtest/arrivals/plan.ts';
import { type TraceRow, traceBlockTokens } from '../../loadtest/arrivals/trace.ts';
import { loadScenario } from '../../loadtest/scenario/load.ts';
import { type GapStatistics, gapStatistics, prefixReuse } from '../loadtest/trace-statistics.ts';
import { repetitions } from '../support/counts.ts';
import { type LoadTest, recordsOf, validLoadTest } from '../support/load-tests.ts';

/**
 * The traces beside the scenarios, or real ones where the environment names them, as it does for the scenarios. Sped up until requests are so
 * far apart on average: one of an hour and 20,000 requests then takes less than three minutes.
 */
const traces = [
  { name: "Azure's", file: process.env.AZURE_TRACE ?? 'loadtest/scenarios/traces/azure-like.csv' },
  { name: "Mooncake's", file: process.env.MOONCAKE_TRACE ?? 'loadtest/scenarios/traces/mooncake-like.jsonl' },
];
const meanGapMs = repetitions({ quick: 8, full: 40 });

/** Shares of the mean rate, and of the squared coefficient of variation of the gaps, to which a busy machine adds its own. */
const tolerances = { rate: 0.01, variation: repetitions({ quick: 0.15, full: 0.05 }) };

/** Requests of nearly one instant come over connections of their own, one of which may still have to be opened: so near they may overtake each other, and few do. */
const races = { apartMs: 25, share: 0.05 };

/** One request as it came. */
interface Received {
  readonly atMs: number;
  /** Of the whole body. */
  readonly digest: string;
  /** Of each block of 512 tokens of its prompt. */
  readonly blocks: readonly string[];
}

/** A model that answers everything at once, and keeps in what order it was asked for what, and when. */
async function startRecorder(t: TestContext) {
  const received: Received[] = [];
  const recorder = createServer((request, response) => {
    const atMs = performance.now();
    const nth = received.length;
    const chunks: Buffer[] = [];
    received.push({ atMs, digest: '', blocks: [] });
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      received[nth] = { atMs, digest: hash('sha1', body), blocks: blocksOf(body) };
      response.end('{}');
    });
  });
  recorder.listen(0, '127.0.0.1');
  await once(recorder, 'listening');
  t.after(() => {
    recorder.closeAllConnections();
    recorder.close();
  });
  return {
    url: `http://127.0.0.1:${(recorder.address() as AddressInfo).port}`,
    received,
  };
}

/** A token is four bytes. */
const blockBytes = 4 * traceBlockTokens;

function blocksOf(body: Buffer): string[] {
  const { messages } = JSON.parse(body.toString()) as { messages: [{ content: string }] };
  const prompt = messages[0].content;
  return Array.from({ length: Math.ceil(prompt.length / blockBytes) }, (_, at) =>
    hash('sha1', prompt.slice(at * blockBytes, (at + 1) * blockBytes)),
  );
}

/** The bodies in the order of the plan. */
function plannedDigests({ folder }: LoadTest): string[] {
  const scenario = loadScenario(join(folder ?? '', 'scenario.yaml'));
  const [target] = scenario.targets;
  assert.ok(target !== undefined);
  return Array.from(planOf(scenario, target), ({ payload }) => hash('sha1', payload.body));
}

for (const { name, file } of traces) {
  test(`what is received in a replay of ${name} trace has its order, mean rate, burstiness and shared prefixes`, async (t) => {
    const path = resolve(import.meta.dirname, '..', '..', file);
    const trace = parseTrace(readFileSync(path, 'utf8'), path);
    const rows = Array.from({ length: trace.size }, (_, at) => trace.row(at));
    const written = gapStatistics(rows.map(({ atMs }) => atMs));
    const speed = 1000 / meanGapMs / written.meanPerSecond;
    const recorder = await startRecorder(t);
    const run = await validLoadTest(
      t,
      `
targets: [{ url: "${recorder.url}", protocol: openai, model: m }]
arrivals: { kind: trace, file: "${path}", speed: ${speed} }
payloads: { kind: trace, chat: { stream: false } }
`,
    );
    // Earlier ones are of a run that was not VALID.
    const received = recorder.received.slice(-trace.size);
    const came = gapStatistics(received.map(({ atMs }) => atMs * speed));
    const overtakenMs = overtakingOf(received, plannedDigests(run), rows).map((traceMs) => traceMs / speed);
    // Where a trace does not tell what prompts share, no two of them begin alike.
    const shared = rows[0]?.blocks === null ? 0 : prefixReuse(rows.map(({ blocks }) => Array.from(blocks ?? [])));
    const sharedCame = prefixReuse(received.map(({ blocks }) => blocks));
    t.diagnostic(
      `the trace: ${told(written, shared)}; received, ${speed.toFixed(1)} times as fast: ${told(came, sharedCame)}`,
    );
    t.diagnostic(`${overtakenMs.length} of ${received.length} overtaken`);
    const sentAtMs = recordsOf(run).map((record) => record.sentAtMs);
    assert.deepEqual(
      sentAtMs,
      sentAtMs.toSorted((a, b) => a - b),
    );
    assert.ok(
      overtakenMs.every((apartMs) => apartMs <= races.apartMs) && overtakenMs.length <= races.share * trace.size,
      `overtaken by ${overtakenMs.map((apartMs) => apartMs.toFixed(1))} ms`,
    );
    assertNear(came.meanPerSecond, written.meanPerSecond, tolerances.rate);
    assertNear(came.variation, written.variation, tolerances.variation);
    assert.equal(sharedCame, shared);
  });
}

/** For each request that came in the place of another, how far apart the two are in the trace. Fails where one never came. */
function overtakingOf(received: readonly Received[], planned: readonly string[], rows: readonly TraceRow[]): number[] {
  assert.deepEqual(received.map(({ digest }) => digest).toSorted(), planned.toSorted());
  // Some requests of real traces are the same: of those the first that comes is taken for the first.
  const indices = Map.groupBy(planned.keys(), (index) => planned[index]);
  return received.flatMap(({ digest }, place) => {
    const index = indices.get(digest)?.shift() ?? place;
    return index === place ? [] : [Math.abs((rows[index]?.atMs ?? 0) - (rows[place]?.atMs ?? 0))];
  });
}

function told({ meanPerSecond, variation }: GapStatistics, shared: number): string {
  return `${meanPerSecond.toFixed(3)}/s, CV2 ${variation.toFixed(3)}, ${(100 * shared).toFixed(2)} % of blocks seen before`;
}

function assertNear(actual: number, wanted: number, tolerance: number): void {
  assert.ok(Math.abs(actual / wanted - 1) <= tolerance, `${actual}, not ${wanted}`);
}
