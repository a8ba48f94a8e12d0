import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { infer, inferred, modelOf, send, whichOf } from '../support/caching/live.ts';
import { eventually, startGateway } from '../support/gateway-process.ts';
import { type Arrival, answer, lineOf, okAnswer, RawBackend } from '../support/raw-backend.ts';
import { RawClient, request } from '../support/raw-client.ts';

const scope = { after };

/** How each model is computed; the rest of them well. */
const scripts = new Map<string, (arrival: Arrival) => void>();
const computed = new Map<string, number>();
const backend = await RawBackend.start(scope, (arrival) => {
  const model = modelOf(arrival);
  computed.set(model, (computed.get(model) ?? 0) + 1);
  const own = scripts.get(model);
  if (own === undefined) arrival.socket.write(inferred(arrival, computed.get(model)));
  else own(arrival);
});
const replicas = `replicas: [{ id: a, url: "${backend.url}" }], breaker: { consecutive: 1000 }`;
const rules = 'cache: { fresh: 10m, stale_if_error: 1h }, coalesce: true';
const gateway = await startGateway(
  scope,
  `telemetry: { log: warn }
cache: { max_entry: 16KiB }
backends:
  - { name: tensors, protocol: open-inference, models: ["m*"], ${replicas} }
  - { name: words, protocol: openai, models: ["m*"], ${replicas} }
  - { name: nobody, protocol: open-inference, models: ["fallen*"], replicas: [{ id: a, url: "${backend.url}" }] }
routes:
  - { match: { path: "/v1/*" }, to: [{ backend: words }], ${rules} }
  - { match: { model: "m-all*" }, to: [{ backend: tensors }], cache: { fresh: 10m, share: everyone } }
  - { match: { model: "fallen*" }, to: [{ backend: nobody }], fallback: [tensors], ${rules} }
  - { match: { model: "m*" }, to: [{ backend: tensors }], ${rules} }
`,
);
const backends = async (): Promise<string> => (await fetch(`${gateway.admin}/api/backends`)).text();
await eventually('all are ready', async () => !/starting/.test(await backends()));

let names = 0;
const newModel = (script?: (arrival: Arrival) => void): string => {
  const model = `m-${names++}`;
  if (script !== undefined) scripts.set(model, script);
  return model;
};

const chunkedHead = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
const chunked = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const said = (finish: string | null): string =>
  `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta: { content: 'x' }, finish_reason: finish }] })}\n\n`;

describe('nothing is kept', () => {
  const heads: Record<string, (arrival: Arrival) => void> = {
    'of an answer that is too large': ({ socket }) => socket.write(okAnswer('x'.repeat(16 * 1024 + 1))),
    'of an answer that is too large, as it turns out': ({ socket }) =>
      socket.write(
        `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunked('x'.repeat(16 * 1024 + 1))}0\r\n\r\n`,
      ),
    'of an answer that breaks off': ({ socket }) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{}'),
    'of a stream that breaks off': ({ socket }) => socket.end(chunkedHead + chunked('data: {}\n\n')),
    'of a stream that tells of an error': ({ socket }) =>
      socket.write(`${chunkedHead}${chunked('data: {"error": "no memory"}\n\n')}0\r\n\r\n`),
  };
  for (const status of ['206 Part', '301 Moved', '400 So', '404 So', '422 So', '429 So', '500 So', '503 So'])
    heads[`of a ${status}`] = ({ socket }) => socket.write(answer(status, '{}', 'retry-after: 0'));
  for (const header of [
    'set-cookie: a=b',
    'cache-control: no-store',
    'cache-control: max-age=60, private',
    'cache-control: max-age=0',
    'vary: *',
    'vary: accept, *',
    'content-range: bytes 0-1/10',
    'x-headgate-batch-invariant: false',
  ])
    heads[`where it says ${header}`] = (arrival) => arrival.socket.write(inferred(arrival, 'own', header));

  for (const [what, script] of Object.entries(heads)) {
    it(what, async () => {
      const model = newModel(script);
      // A replica that failed may rest for a moment.
      await eventually('computed again', async () => {
        const got = await infer(gateway.client, { model }).catch(() => null);
        assert.doesNotMatch(got?.cache ?? '', /hit/);
        return (computed.get(model) ?? 0) >= 2;
      });
      assert.equal(await gateway.metric('headgate_cache_entries'), 0);
    });
  }

  for (const [what, events] of Object.entries({
    'of a chat that was cut off without a word': [said(null)],
    'of a chat in which a tool is called': [said('tool_calls'), 'data: [DONE]\n\n'],
    'of a chat that tells of an error': [said('stop'), 'data: {"error":{"message":"x"}}\n\n'],
  })) {
    it(what, async () => {
      const model = newModel(({ socket }) => socket.write(`${chunkedHead}${chunked(events.join(''))}0\r\n\r\n`));
      const ask = () =>
        send(`${gateway.client}/v1/chat/completions`, { model, temperature: 0, stream: true, messages: [] });
      await ask();
      assert.doesNotMatch((await ask()).cache ?? '', /hit/);
      assert.equal(computed.get(model), 2);
      assert.equal(await gateway.metric('headgate_cache_entries'), 0);
    });
  }

  it('of a backend that stood in for another one', async () => {
    await gateway.change('/api/replicas/nobody/a/drain');
    for (let n = 1; n <= 2; n++) {
      const got = await infer(gateway.client, { model: 'fallen' });
      assert.deepEqual([got.status, whichOf(got), got.cache], [200, n, 'fwd=miss']);
    }
    await gateway.change('/api/replicas/nobody/a/undrain');
    const [own, again] = [
      await infer(gateway.client, { model: 'fallen' }),
      await infer(gateway.client, { model: 'fallen' }),
    ];
    assert.deepEqual([own.cache, again.cache, whichOf(again)], ['fwd=miss; stored', 'hit', 3]);
    await gateway.change('/api/cache/purge?all=true');
  });
});

describe('what one client sends changes nothing that another one gets', () => {
  /** Says what it was sent. */
  const echo = (arrival: Arrival): void => {
    const names = ['x-trick', 'cookie', 'range', 'accept-encoding', 'if-none-match', 'x-forwarded-host', 'origin'];
    const came = [...names, 'accept-language'].map((name) => lineOf(arrival.headers, name));
    arrival.socket.write(inferred(arrival, JSON.stringify(came)));
  };
  const none = [null, null, null, null, null, null, null];

  it('where it is a header that no key knows', async () => {
    const model = newModel(echo);
    const tricks = {
      'x-trick': '1',
      cookie: 'a=b',
      range: 'bytes=0-1',
      'accept-encoding': 'gzip',
      'x-forwarded-host': 'evil',
      x_trick: '1',
    };
    const first = await infer(gateway.client, { model, headers: tricks });
    assert.equal(whichOf(first), JSON.stringify([...none, null]));
    const other = await infer(gateway.client, { model });
    assert.deepEqual([whichOf(other), other.cache], [JSON.stringify([...none, null]), 'hit']);
  });

  it('where it is a header that the key knows', async () => {
    const model = newModel(echo);
    const french = { 'accept-language': 'fr' };
    await infer(gateway.client, { model, headers: french });
    const other = await infer(gateway.client, { model });
    assert.deepEqual([whichOf(other), other.cache], [JSON.stringify([...none, null]), 'fwd=miss; stored']);
  });

  it('where it names a header as one of the connection', async () => {
    const model = newModel(echo);
    const body = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: [1] }] });
    const headers = ['accept-language: fr', 'content-type: application/json'];
    const line = `POST /v2/models/${model}/infer`;
    const client = new RawClient(gateway.client);
    client.send(request({ line, headers: [...headers, 'connection: Keep-Alive, Accept-Language'], body }));
    const own = await client.answer();
    client.leave();
    assert.match(own.header('cache-status') ?? '', /fwd=bypass/);
    const other = await infer(gateway.client, { model, headers: { 'accept-language': 'fr' } });
    assert.deepEqual([whichOf(other), other.cache], [JSON.stringify([...none, 'fr']), 'fwd=miss; stored']);
  });

  it('where it is how the question is packed', async () => {
    const model = newModel(({ socket }) => socket.write(okAnswer('{}')));
    const body = gzipSync(JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: [1] }] }));
    const url = `${gateway.client}/v2/models/${model}/infer`;
    const packed = { 'content-encoding': 'gzip', 'content-type': 'application/json' };
    const outcomes: (string | null)[] = [];
    for (let n = 0; n < 2; n++) {
      const got = await fetch(url, { method: 'POST', body, headers: packed });
      assert.equal(got.status, 200);
      outcomes.push(got.headers.get('cache-status')?.replace(/; ttl=\d+/, '') ?? null);
    }
    assert.deepEqual(outcomes, ['headgate; fwd=miss; stored', 'headgate; hit']);
    assert.equal((await infer(gateway.client, { model })).cache, 'fwd=miss; stored');
  });
});

describe('tenants', () => {
  const ask = (model: string, key: string) =>
    infer(gateway.client, { model, headers: { authorization: `Bearer ${key}` } });

  it('have each their own answers', async () => {
    const model = newModel();
    const got = [
      await ask(model, 'a'),
      await ask(model, 'b'),
      await ask(model, 'a'),
      await infer(gateway.client, { model }),
    ];
    assert.deepEqual(got.map(whichOf), [1, 2, 1, 3]);
  });

  it('have the same ones where a route says so', async () => {
    const got = [await ask('m-all', 'a'), await ask('m-all', 'b')];
    assert.deepEqual(
      got.map((one) => [whichOf(one), one.cache]),
      [
        [1, 'fwd=miss; stored'],
        [1, 'hit'],
      ],
    );
  });

  it('can have their answers forgotten without the others', async () => {
    const model = newModel();
    for (const key of ['a', 'b']) await ask(model, key);
    const tenant = createHash('sha256').update('a').digest('hex');
    await gateway.change(`/api/cache/purge?tenant=${tenant}`);
    assert.deepEqual([whichOf(await ask(model, 'b')), whichOf(await ask(model, 'a'))], [2, 3]);
  });
});

describe('what is purged', () => {
  it('is forgotten by model, and all of it', async () => {
    const models = [newModel(), newModel()];
    const ask = async () => Promise.all(models.map(async (model) => (await infer(gateway.client, { model })).cache));
    assert.deepEqual(await ask(), ['fwd=miss; stored', 'fwd=miss; stored']);
    assert.deepEqual(await gateway.change(`/api/cache/purge?model=${models[0]}`), { purged: 1 });
    assert.deepEqual(await ask(), ['fwd=miss; stored', 'hit']);
    await gateway.change('/api/cache/purge?all=true');
    assert.deepEqual(await ask(), ['fwd=miss; stored', 'fwd=miss; stored']);
  });

  it('is what is under way, too: who asks later has it computed anew, and only that is kept', async () => {
    const waiting: Arrival[] = [];
    const model = newModel((arrival) => waiting.push(arrival));
    const before = infer(gateway.client, { model });
    await eventually('begun', () => waiting.length === 1);
    await gateway.change(`/api/cache/purge?model=${model}`);
    const later = infer(gateway.client, { model });
    await eventually('begun anew', () => waiting.length === 2);
    for (const [at, arrival] of waiting.toReversed().entries()) arrival.socket.write(inferred(arrival, at));
    assert.deepEqual([whichOf(await later), whichOf(await before)], [0, 1]);
    const kept = await infer(gateway.client, { model });
    assert.deepEqual([whichOf(kept), kept.cache], [0, 'hit']);
  });
});

describe('a connection', () => {
  it('goes on behind an answer that was kept, whose request came in pieces, and behind another one', async () => {
    const model = newModel();
    const body = JSON.stringify({ id: 'first', inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: [1] }] });
    const own = request({ line: `POST /v2/models/${model}/infer`, headers: ['content-type: application/json'], body });
    const half = own.length - 20;
    const client = new RawClient(gateway.client);
    client.send(own);
    assert.equal((await client.answer()).status, 200);
    client.send(own.slice(0, half));
    await eventually('the head is read', async () => (await gateway.metric('headgate_requests_total')) >= 0);
    client.send(own.slice(half) + own.replace('first', 'other') + own.replace('first', 'third'));
    const got = [await client.answer(), await client.answer(), await client.answer()];
    client.leave();
    assert.deepEqual(
      got.map((one) => [one.status, JSON.parse(one.body).id, one.header('cache-status')?.startsWith('headgate; hit')]),
      ['first', 'other', 'third'].map((id) => [200, id, true]),
    );
    assert.equal(computed.get(model), 1);
  });

  it('says what a cache had to do with refusals, too', async () => {
    const model = newModel();
    await gateway.change('/api/replicas/tensors/a/drain');
    const got = await infer(gateway.client, { model });
    await gateway.change('/api/replicas/tensors/a/undrain');
    assert.deepEqual([got.status, got.cache], [503, 'fwd=miss']);
  });
});
