import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { parseTrace } from '../../../loadtest/arrivals/parse-trace.ts';
import { type PlannedRequest, planOf } from '../../../loadtest/arrivals/plan.ts';
import type { Scenario, Target } from '../../../loadtest/scenario/scenario.ts';
import { type Files, least, leastTensors, load } from '../scenario/yaml.ts';
import { azureLike, mooncakeLike } from '../synthetic-trace.ts';
import { gapStatistics, prefixReuse } from '../trace-statistics.ts';

const second = '  - { url: "https://other:2/v", protocol: openai, model: m, headers: { a: b } }\n';
const chats = `${least}${second}requests: 500
seed: 42
arrivals: { kind: gamma, rate: 500/s, burstiness: 0.5 }
payloads: { kind: zipf, keys: 50, chat: { prompt_tokens: { kind: lognormal, mean: 30 } } }
clients: { cancel: { share: 20%, after: 5ms }, slow: { share: 10%, rate: 1KiB/s } }
`;
const trace = 'arrivals: { kind: trace, file: t.csv }\npayloads: { kind: trace }\n';
const replay = least.replace('for: 10s\n', trace);

function first({ targets }: Scenario): Target {
  const [target] = targets;
  assert.ok(target);
  return target;
}

function plan(yaml: string, files?: Files): PlannedRequest[] {
  const scenario = load(yaml, files);
  return [...planOf(scenario, first(scenario))];
}

const instants = (requests: readonly PlannedRequest[]): number[] => requests.map(({ plannedAtMs }) => plannedAtMs);
const behaviours = (requests: readonly PlannedRequest[]): unknown[] =>
  requests.map(({ cancelAfterMs, readBytesPerSecond }) => [cancelAfterMs, readBytesPerSecond]);

/** Everything that a plan says, as one digest. */
function digest(requests: Iterable<PlannedRequest>): string {
  const hash = createHash('sha256');
  for (const { payload, ...rest } of requests) {
    const { path, isStreaming, inputTokens, outputTokens } = payload;
    hash.update(JSON.stringify([rest, path, isStreaming, inputTokens, outputTokens])).update(payload.body);
  }
  return hash.digest('hex');
}

test('one seed gives one plan, byte for byte, to every target', () => {
  const scenario = load(chats);
  const digests = scenario.targets.map((target) => digest(planOf(scenario, target)));
  assert.equal(digests.length, 2);
  assert.equal(new Set([...digests, digest(plan(chats))]).size, 1);
});

test('a plan is the same on every machine and in every version', () => {
  assert.equal(digest(plan(chats)), 'f88045a8a213593d9f327bceb2bec829cbefebcd53ed8234cbfe4012829990a5');
  const tensors = `${leastTensors}requests: 200\narrivals: { kind: constant, rate: 100/s }\n`;
  assert.equal(digest(plan(tensors)), '55015a998ec64d16c888b86d7afce1df9d880c33f14283ae974697e1b1e37988');
});

test('another seed gives another plan', () => {
  const digests = [41, 42, 43].map((seed) => digest(plan(chats.replace('seed: 42', `seed: ${seed}`))));
  assert.equal(new Set(digests).size, 3);
});

test('a change of one thing leaves to all others what was drawn for them', () => {
  const before = plan(chats);
  const bodies = (requests: readonly PlannedRequest[]): string[] =>
    requests.map(({ payload }) => payload.body.toString());
  const otherArrivals = plan(chats.replace('kind: gamma, rate: 500/s, burstiness: 0.5', 'kind: poisson, rate: 900/s'));
  assert.deepEqual(bodies(otherArrivals), bodies(before));
  assert.deepEqual(behaviours(otherArrivals), behaviours(before));
  assert.notDeepEqual(instants(otherArrivals), instants(before));
  const otherPayloads = plan(chats.replace('kind: zipf, keys: 50', 'kind: unique'));
  assert.deepEqual(instants(otherPayloads), instants(before));
  assert.deepEqual(behaviours(otherPayloads), behaviours(before));
  assert.notDeepEqual(bodies(otherPayloads), bodies(before));
  const otherClients = plan(chats.replace('share: 20%', 'share: 50%'));
  assert.deepEqual(instants(otherClients), instants(before));
  assert.deepEqual(bodies(otherClients), bodies(before));
  assert.notDeepEqual(behaviours(otherClients), behaviours(before));
});

test('with a larger share those who left before leave still, and who reads slowly stays as it was', () => {
  const few = plan(chats);
  const many = plan(chats.replace('share: 20%', 'share: 50%'));
  assert.deepEqual(
    few.map(({ readBytesPerSecond }) => readBytesPerSecond),
    many.map(({ readBytesPerSecond }) => readBytesPerSecond),
  );
  assert.ok(few.every(({ cancelAfterMs }, at) => cancelAfterMs === null || many[at]?.cancelAfterMs === cancelAfterMs));
});

test('as many clients leave and read slowly as their shares say', () => {
  const requests = plan(chats.replace('requests: 500', 'requests: 4000').replace('for: 10s', 'for: 60s'));
  assert.equal(requests.length, 4000);
  const leaving = requests.filter(({ cancelAfterMs }) => cancelAfterMs === 5).length;
  const dawdling = requests.filter(({ readBytesPerSecond }) => readBytesPerSecond === 1024).length;
  // Four standard deviations of a binomial count.
  assert.ok(Math.abs(leaving - 800) < 4 * Math.sqrt(4000 * 0.2 * 0.8), String(leaving));
  const both = requests.filter((one) => one.cancelAfterMs !== null && one.readBytesPerSecond !== null).length;
  assert.ok(Math.abs(both - 80) < 4 * Math.sqrt(4000 * 0.02 * 0.98), String(both));
  assert.ok(Math.abs(dawdling - 400) < 4 * Math.sqrt(4000 * 0.1 * 0.9), String(dawdling));
});

test('a plan ends with its time or with its last request, whichever comes first', () => {
  const steady = `${least}arrivals: { kind: constant, rate: 10/s }\n`;
  assert.equal(plan(steady).length, 100);
  assert.equal(plan(`${steady}requests: 7\n`).length, 7);
  assert.equal(plan(`${steady}requests: 700\n`).length, 100);
  assert.deepEqual(
    plan(`${steady}requests: 7\n`).map(({ index }) => index),
    [0, 1, 2, 3, 4, 5, 6],
  );
});

test('a million requests are planned one at a time', () => {
  const scenario = load(
    `${least.replace('10s', '1000s')}arrivals: { kind: constant, rate: 1000000/s }\npayloads: { kind: unique, chat: { prompt_tokens: 10000000 } }\n`,
  );
  let tokens = 0;
  for (const { index, payload } of planOf(scenario, first(scenario))) {
    tokens += payload.inputTokens;
    if (index === 99_999) break;
  }
  assert.equal(tokens, 1e12);
});

test('a replay of Azure keeps rate, order and burstiness, and asks for the lengths of the trace', () => {
  const text = azureLike(20_000);
  const requests = plan(replay, { 't.csv': text });
  const { meanPerSecond, variation, isInOrder } = gapStatistics(instants(requests));
  assert.equal(requests.length, 20_000);
  assert.ok(isInOrder);
  assert.ok(Math.abs(meanPerSecond - 5.53) < 0.17, `${meanPerSecond}/s`);
  assert.ok(Math.abs(variation - 1.197) < 0.1, `squared coefficient of variation ${variation}`);
  // What the text says, read another way.
  const written = text
    .split('\r\n')
    .slice(1)
    .map((line) => line.split(',').slice(1).map(Number));
  assert.deepEqual(
    requests.map(({ payload }) => [payload.inputTokens, payload.outputTokens]),
    written,
  );
});

test('a replay at another speed has another rate and the same burstiness', () => {
  const files = { 't.csv': azureLike(2000) };
  const once = gapStatistics(instants(plan(replay, files)));
  const tenfold = gapStatistics(instants(plan(replay.replace('t.csv', 't.csv, speed: 10'), files)));
  assert.ok(Math.abs(tenfold.meanPerSecond / once.meanPerSecond - 10) < 1e-6);
  assert.ok(Math.abs(tenfold.variation - once.variation) < 1e-6);
});

/** The blocks of 512 tokens of a prompt, as a server finds them in the bytes it is sent. */
function blocksIn({ payload }: PlannedRequest): string[] {
  const { messages } = JSON.parse(payload.body.toString()) as { messages: { content: string }[] };
  return messages[0]?.content.match(/.{1,2048}/g) ?? [];
}

test('a replay of Mooncake shows a prefix cache 37 % of all blocks again, and comes in clumps every 3 s', () => {
  const text = mooncakeLike(1000);
  const rows = parseTrace(text, 't.jsonl');
  const requests = plan(replay.replace('t.csv', 't.jsonl'), { 't.jsonl': text });
  const ids = requests.map(({ index }) => Array.from(rows.row(index).blocks ?? []));
  for (const { index, payload } of requests) {
    assert.equal(payload.inputTokens, rows.row(index).inputTokens);
    assert.equal(payload.outputTokens, rows.row(index).outputTokens);
  }
  const reuse = prefixReuse(requests.map(blocksIn));
  assert.equal(reuse, prefixReuse(ids));
  assert.ok(Math.abs(reuse - 0.37) < 0.02, String(reuse));
  const clumps = [...new Set(instants(requests))];
  assert.ok(requests.length / clumps.length > 5);
  assert.ok(clumps.slice(1).every((atMs, at) => Math.abs(atMs - (clumps[at] ?? 0) - 3000) <= 1));
});

test('blocks of a trace are equal exactly where their ids are', () => {
  const text = mooncakeLike(200, { meanTokens: 3000 });
  const rows = parseTrace(text, 't.jsonl');
  const textOf = new Map<number, string>();
  const idOf = new Map<string, number>();
  for (const request of plan(replay.replace('t.csv', 't.jsonl'), { 't.jsonl': text })) {
    const blocks = blocksIn(request);
    const ids = Array.from(rows.row(request.index).blocks ?? []);
    assert.equal(blocks.length, ids.length);
    // The last may be cut short, down to a word; caches hold whole ones.
    for (const [at, id] of ids.slice(0, -1).entries()) {
      const block = blocks[at] ?? '';
      assert.equal(textOf.get(id) ?? block, block);
      assert.equal(idOf.get(block) ?? id, id);
      textOf.set(id, block);
      idOf.set(block, id);
    }
  }
  assert.ok(textOf.size > 500, String(textOf.size));
});

test('payloads may follow a trace that arrivals do not, and begin again after its last row', () => {
  const yaml = `${least}requests: 25\narrivals: { kind: constant, rate: 10/s }\npayloads: { kind: trace, file: t.csv }\n`;
  const requests = plan(yaml, { 't.csv': azureLike(10) });
  assert.equal(requests.length, 25);
  assert.deepEqual(requests[20]?.payload.inputTokens, requests[0]?.payload.inputTokens);
  assert.notEqual(requests[20]?.plannedAtMs, requests[0]?.plannedAtMs);
});
