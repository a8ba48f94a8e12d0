import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { infer, inferred, modelOf, send, whichOf } from '../support/caching/live.ts';
import { repetitions } from '../support/counts.ts';
import { eventually, pause, type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { type Arrival, answer, lineOf, RawBackend } from '../support/raw-backend.ts';
import { startRedis } from '../support/redis.ts';

const clients = repetitions({ quick: 300, full: 1000 });
const computesMs = repetitions({ quick: 800, full: 2_000 });
const scope = { after };

/** Work that goes on until a test says so. */
class Work {
  readonly arrivals: Arrival[] = [];
  finish: () => void = () => {};
  readonly #until = new Promise<void>((resolve) => {
    this.finish = resolve;
  });

  async answer(arrival: Arrival): Promise<void> {
    this.arrivals.push(arrival);
    await this.#until;
    arrival.socket.write(inferred(arrival, 'all'));
  }

  /** A piece every tenth of a second, the first at once. */
  async stream(arrival: Arrival): Promise<void> {
    this.arrivals.push(arrival);
    const own = `chatcmpl-${this.arrivals.length}`;
    let isOver = false;
    void this.#until.then(() => {
      isOver = true;
    });
    arrival.socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n');
    for (let n = 0; !isOver; n++) {
      arrival.socket.write(chunked(event(own, { content: `${n} ` }, null)));
      await pause(100);
    }
    arrival.socket.write(`${chunked(`${event(own, {}, 'stop')}data: [DONE]\n\n`)}0\r\n\r\n`);
  }
}

const works = new Map<string, Work>();
let names = 0;

function newWork(): { readonly model: string; readonly work: Work } {
  const model = `m${names++}`;
  const work = new Work();
  works.set(model, work);
  return { model, work };
}

const backend = await RawBackend.start(scope, (arrival) => {
  const work = works.get(modelOf(arrival));
  if (arrival.line.includes('/v2/')) void work?.answer(arrival);
  else void work?.stream(arrival);
});
const other = await RawBackend.start(scope, () => {});
const redis = await startRedis(scope);
const replicas = `replicas: [{ id: a, url: "${backend.url}" }]`;
const yaml = (cache: string, rules: string): string => `telemetry: { log: warn }
${cache}backends:
  - { name: tensors, protocol: open-inference, models: ["m*"], ${replicas} }
  - { name: words, protocol: openai, models: ["m*"], ${replicas} }
  - { name: two, protocol: open-inference, models: [retried, hedged], hedge: { after: 100ms, budget: 100% },
      replicas: [{ id: a, url: "${backend.url}" }, { id: b, url: "${other.url}" }] }
routes:
  - { match: { model: retried }, to: [{ backend: two }], coalesce: true }
  - { match: { model: hedged }, to: [{ backend: two }], coalesce: true }
  - { match: { path: "/v2/*" }, to: [{ backend: tensors }], coalesce: true${rules} }
  - { match: { path: "/v1/*" }, to: [{ backend: words }], coalesce: true${rules} }
`;
const shared = yaml(`cache: { redis: "${redis.url}", wait: 1s }\n`, ', cache: { fresh: 1m }');
const [alone, first, second] = await Promise.all([
  startGateway(scope, yaml('', '')),
  startGateway(scope, shared),
  startGateway(scope, shared),
]);

/** Sends the same question again and again while it is worked on, to one gateway after the other, then lets the work end. */
async function askAll<Got>(
  gateways: readonly RunningGateway[],
  work: Work,
  ask: (origin: string, n: number) => Promise<Got>,
): Promise<Got[]> {
  const before = await followersOf(gateways);
  const asked: Promise<Got>[] = [];
  const startMs = performance.now();
  for (let n = 0; n < clients; n++) {
    const dueMs = startMs + (n * computesMs) / clients;
    if (dueMs > performance.now()) await pause(dueMs - performance.now());
    asked.push(ask(gateways[n % gateways.length]?.client ?? '', n));
  }
  // On a busy machine the last of them may still be on their way.
  await eventually('all but the first have joined', async () => {
    return (await followersOf(gateways)) - before === clients - gateways.length;
  });
  work.finish();
  return Promise.all(asked);
}

async function followersOf(gateways: readonly RunningGateway[]): Promise<number> {
  const counts = await Promise.all(gateways.map((one) => one.metric('headgate_flight_followers_total')));
  return counts.reduce((sum, count) => sum + count, 0);
}

const askOne = (model: string) => (origin: string, n: number) => infer(origin, { model, id: `request-${n}` });
const chat = (model: string, more: object = {}) => ({
  model,
  temperature: 0,
  messages: [{ role: 'user', content: 'Which way does the water flow?' }],
  ...more,
});
const streamOne = (model: string) => (origin: string) =>
  send(`${origin}/v1/chat/completions`, chat(model, { stream: true }));

function event(id: string, delta: object, reason: string | null): string {
  const choices = [{ index: 0, delta, finish_reason: reason }];
  return `data: ${JSON.stringify({ id, object: 'chat.completion.chunk', created: 1, model: 'm', choices })}\n\n`;
}

function chunked(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

/** Says what a stream told, and under which id; throws where it has several or is not whole. */
function readStream(text: string): { readonly id: string; readonly said: string } {
  const events = text.split('\n\n').filter((one) => one.startsWith('data: {'));
  const chunks = events.map((one) => JSON.parse(one.slice('data: '.length)));
  const [id, ...others] = new Set(chunks.map((chunk) => chunk.id));
  assert.deepEqual(others, []);
  assert.match(text, /data: \[DONE\]\n\n$/);
  return { id, said: chunks.map((chunk) => chunk.choices[0].delta.content ?? '').join('') };
}

describe(`${clients} that ask the same during ${computesMs} ms`, () => {
  it('have it computed once, and each has its own id', async () => {
    const { model, work } = newWork();
    const got = await askAll([alone], work, askOne(model));
    assert.equal(work.arrivals.length, 1);
    for (const [n, one] of got.entries())
      assert.deepEqual([one.status, one.json.id, whichOf(one)], [200, `request-${n}`, 'all']);
    assert.deepEqual(
      got.map(({ cache }) => cache).toSorted(),
      [...Array.from({ length: clients - 1 }, () => 'fwd=miss; collapsed'), 'fwd=miss'].toSorted(),
    );
  });

  it('have it streamed once, each from its beginning and with an id of its own', async () => {
    const { model, work } = newWork();
    const got = await askAll([alone], work, streamOne(model));
    assert.equal(work.arrivals.length, 1);
    const streams = got.map(({ text }) => readStream(text));
    assert.equal(new Set(streams.map(({ id }) => id)).size, clients);
    assert.equal(new Set(streams.map(({ said }) => said)).size, 1);
    assert.match(streams[0]?.said ?? '', /^0 1 2 3 4 /);
  });

  it('of two gateways, have it computed once, and each has its own id', async () => {
    const { model, work } = newWork();
    const got = await askAll([first, second], work, askOne(model));
    assert.equal(work.arrivals.length, 1);
    for (const [n, one] of got.entries())
      assert.deepEqual([one.status, one.json.id, whichOf(one)], [200, `request-${n}`, 'all']);
    const again = await infer(second.client, { model, id: 'later' });
    assert.deepEqual([again.cache, again.json.id], ['hit', 'later']);
  });

  it('of two gateways, have it streamed at most once each', async () => {
    const { model, work } = newWork();
    const got = await askAll([first, second], work, streamOne(model));
    assert.ok(work.arrivals.length <= 2, `${work.arrivals.length}`);
    assert.equal(new Set(got.map(({ text }) => readStream(text).id)).size, clients);
  });
});

describe('a shared computation', () => {
  it('goes on for the others when one has no more time, and when the first leaves', async () => {
    const { model, work } = newWork();
    const before = await alone.metric('headgate_flight_followers_total');
    const leaver = new AbortController();
    const body = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: [1] }] });
    const url = `${alone.client}/v2/models/${model}/infer`;
    const left = fetch(url, {
      method: 'POST',
      body,
      signal: leaver.signal,
      headers: { 'accept-language': 'de' },
    }).catch((error: Error) => error.name);
    await eventually('begun', () => work.arrivals.length === 1);
    const headers = { accept: '*/*', 'accept-language': 'de', 'content-type': 'text/plain;charset=UTF-8' };
    const hurried = infer(alone.client, { model, headers: { ...headers, 'x-request-timeout-ms': '300' } });
    const patient = infer(alone.client, { model, headers });
    const joined = async () => (await alone.metric('headgate_flight_followers_total')) - before === 2;
    await eventually('both have joined', joined);
    leaver.abort();
    assert.equal(await left, 'AbortError');
    const late = await hurried;
    assert.deepEqual([late.status, late.cache], [504, 'fwd=miss; collapsed']);
    work.finish();
    assert.deepEqual([whichOf(await patient), work.arrivals.length], ['all', 1]);
  });

  it('is tried again once for all where it fails, and beside itself where it takes long', async () => {
    // Who was busy rests, and is no other to send a hedge to.
    for (const model of ['hedged', 'retried']) {
      let tries = 0;
      const plain = backend.script;
      other.script = backend.script = (arrival) => {
        tries += 1;
        if (tries === 2) arrival.socket.write(inferred(arrival, 'better'));
        else if (model === 'retried') arrival.socket.write(answer('503 Busy', '{}'));
      };
      const asked = Array.from({ length: 20 }, (_, n) => infer(alone.client, { model, id: `${n}` }));
      const got = await Promise.all(asked);
      assert.deepEqual(
        got.map((one) => [one.status, whichOf(one), one.json.id]),
        got.map((_, n) => [200, 'better', `${n}`]),
        model,
      );
      assert.equal(tries, 2, model);
      backend.script = plain;
    }
  });
});

describe('what a client sends besides its question', () => {
  it('goes to no replica unless it is part of the key', async () => {
    const { model, work } = newWork();
    work.finish();
    await infer(alone.client, { model, headers: { 'x-trick': '1', 'accept-language': 'fr', cookie: 'a=b' } });
    const { headers = [] } = work.arrivals[0] ?? {};
    assert.deepEqual(
      ['x-trick', 'cookie', 'accept-language'].map((name) => lineOf(headers, name)),
      [null, null, 'fr'],
    );
  });
});
