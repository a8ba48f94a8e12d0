import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng } from '../../../gateway/kernel/rng.ts';
import { VirtualClock } from '../../../gateway/kernel/virtual-clock.ts';
import { parseTrace } from '../../../loadtest/arrivals/parse-trace.ts';
import { AskedKey } from '../../../loadtest/caching/asked-key.ts';
import { chatsOf } from '../../../loadtest/caching/chats.ts';
import { columns } from '../../../loadtest/caching/columns.ts';
import { embeddingsOf } from '../../../loadtest/caching/embeddings.ts';
import { replay } from '../../../loadtest/caching/replay.ts';
import type { Asked } from '../../../loadtest/caching/workload.ts';
import { writtenJson } from '../../../loadtest/caching/written-json.ts';

const path = '/v1/embeddings';
const content = { model: 'm', input: '“a {canal}, and: more”', dimensions: 2, user: 'u' };

/** The same, as often as it is wanted. */
function* written(count: number): Generator<Buffer> {
  const rng = seededRng(1);
  for (let n = 0; n < count; n++) yield writtenJson(content, rng);
}

test('a request is written in many ways that say the same, and have one key', () => {
  const bodies = [...written(200)];
  assert.ok(new Set(bodies.map(String)).size > 50);
  for (const body of bodies) assert.deepEqual(JSON.parse(String(body)), content);
  const key = new AskedKey(new VirtualClock());
  const [first] = bodies.map((body) => key.of(path, body));
  assert.ok(bodies.every((body) => key.of(path, body) === first && first !== null));
  assert.notEqual(key.of(path, writtenJson({ ...content, input: 'other' }, seededRng(1))), first);
  assert.equal(key.of(path, writtenJson({ ...content, user: 'other' }, seededRng(1))), first);
});

test('a chat whose answer is drawn has no key', () => {
  const key = new AskedKey(new VirtualClock());
  const chat = (temperature: number): string | null =>
    key.of('/v1/chat/completions', Buffer.from(JSON.stringify({ model: 'm', messages: [], temperature })));
  assert.notEqual(chat(0), null);
  assert.equal(chat(0.7), null);
});

/** A trace of so many requests, each with the prompts that are given. */
function traceOf(prompts: readonly (readonly number[])[]) {
  const rows = prompts.map((blocks, at) => ({
    timestamp: at * 60_000,
    input_length: 512 * blocks.length,
    output_length: 10 + at,
    hash_ids: blocks,
  }));
  return parseTrace(rows.map((row) => JSON.stringify(row)).join('\n'), 'made.jsonl');
}

test('chats of a trace are hits where all blocks of the prompt were there before, also where prompts are long', async () => {
  const long = Array.from({ length: 40 }, (_, at) => 100 + at);
  const other = long.with(-1, 1);
  const prompts = [[0, 1], [0, 2], [0], [0, 1], long, other, long, [0, 1]];
  const cells = await replay(chatsOf(traceOf(prompts)), columns, 1);
  assert.equal(cells['for all']?.hits, 3 / 8);
  assert.equal(cells['no memory, flights shared']?.hits, 0);
});

test('a request joins the one that is under way, and is a hit once that has ended', async () => {
  const asked: Asked = { path, body: writtenJson(content, seededRng(1)), answer: Buffer.alloc(10), serviceMs: 50 };
  const workload = {
    title: 'one text',
    requests: 10_000,
    warmUp: 0,
    ratePerSecond: 10,
    answerBytes: [10],
    *ask() {
      while (true) yield asked;
    },
  };
  const { all, none, brief } = await replay(
    workload,
    {
      all: { memoryShare: 1, freshMs: 1e9, by: 'key' },
      none: { memoryShare: 0, freshMs: 1e9, by: 'key' },
      brief: { memoryShare: 1, freshMs: 400, by: 'key' },
    },
    1,
  );
  assert.ok((all?.hits ?? 0) > 0.998, `${all?.hits}`);
  // Of each computation and those that come in its 50 ms, half a request on average, one computes.
  assert.ok(Math.abs((none?.joined ?? 0) - 0.5 / 1.5) < 0.01, `${none?.joined}`);
  // And then four within 400 ms.
  assert.ok(Math.abs((brief?.hits ?? 0) - 4 / 5.5) < 0.01, `${brief?.hits}`);
  assert.ok(Math.abs((brief?.joined ?? 0) - 0.5 / 5.5) < 0.01, `${brief?.joined}`);
});

test('the same seed gives the same figures, another one others', async () => {
  const workload = embeddingsOf({ exponent: 0.9, texts: 2_000, requests: 10_000, warmUp: 1_000 });
  const [first, again, other] = [
    await replay(workload, columns, 5),
    await replay(workload, columns, 5),
    await replay(workload, columns, 6),
  ];
  assert.deepEqual(first, again);
  assert.notDeepEqual(first, other);
});
