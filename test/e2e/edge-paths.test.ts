import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startGateway } from '../support/gateway-process.ts';
import { lineOf, okAnswer, RawBackend } from '../support/raw-backend.ts';
import { ask, type RawAnswer, RawClient, request } from '../support/raw-client.ts';

const named = await RawBackend.start({ after }, ({ socket }) => socket.write(okAnswer('named')));
const other = await RawBackend.start({ after }, ({ socket }) => socket.write(okAnswer('other')));
const gateway = await startGateway(
  { after },
  `
backends:
  - { name: named, protocol: open-inference, models: [m, a/b, "ü-*", { name: alias, upstream: "模型/1" }], replicas: [{ id: "réplique-一", url: "${named.url}" }] }
  - { name: other, protocol: open-inference, models: [secret], replicas: [{ url: "${other.url}" }] }
routes:
  - { match: { path: "/v2/models/secret*", header: { x-key: k } }, to: [{ backend: other }] }
  - { match: { path: "/v2/models/m*" }, to: [{ backend: named }] }
  - { match: { model: "a/b" }, to: [{ backend: named }] }
  - { match: { model: "ü-*" }, to: [{ backend: named }] }
  - { match: { model: alias }, to: [{ backend: named }] }
telemetry: { log: warn }
`,
);

function get(path: string, headers: readonly string[] = []): Promise<RawAnswer> {
  return ask(gateway.client, request({ line: `GET ${path}`, headers }));
}

const served: Readonly<Record<string, string>> = {
  '/v2/models/m': '/v2/models/m',
  '/v2/models/m/ready': '/v2/models/m/ready',
  '/v2/models/m/versions/3': '/v2/models/m/versions/3',
  '/v2/models/%6d': '/v2/models/m',
  '/v2/%6dodels/m': '/v2/models/m',
  '/v2/models/x/../m': '/v2/models/m',
  '/v2/models/./m': '/v2/models/m',
  '/v2/models/x/%2e%2e/m': '/v2/models/m',
  '/v2/models/a%2Fb': '/v2/models/a%2Fb',
  '/v2/models/a%2fb/ready': '/v2/models/a%2Fb/ready',
  '/v2/models/%C3%BC-1': '/v2/models/%C3%BC-1',
  '/v2/models/m?a=1&b=%20%2F': '/v2/models/m?a=1&b=%20%2F',
  '/v2/models/m?': '/v2/models/m?',
  '/v2/models/m?next=/v2/models/secret': '/v2/models/m?next=/v2/models/secret',
};
for (const [path, upstream] of Object.entries(served)) {
  test(`GET ${path} goes upstream as ${upstream}`, async () => {
    const { status, body } = await get(path);
    assert.equal(status, 200, body);
    assert.equal(body, 'named');
    assert.equal(named.arrivals.at(-1)?.line, `GET ${upstream} HTTP/1.1`);
  });
}

const refused: Readonly<Record<string, number>> = {
  '/V2/models/m': 404,
  '/v2/Models/m': 404,
  '//v2/models/m': 404,
  '/v2//models/m': 404,
  '/v2/models//m': 404,
  '/v2/models/m/': 404,
  '/v2/models/m//ready': 404,
  '/v2/models/../../etc/passwd': 404,
  '/v2/models/m/versions/1/../../../../x': 404,
  '/v2/models/%': 404,
  '/v2/models/%zz': 404,
  '/v2/models/%00': 404,
  '/v2/models/M': 404,
  '/v2/models/a/b': 404,
  '/v2/models\\m': 400,
  '/v2/models/m%2Fready': 404,
  '/v2/models/m/versions/..%2F..%2Fsecret': 404,
  '/v2/models/m%2F..%2Fsecret': 404,
  '/': 404,
  '*': 400,
};
for (const [path, status] of Object.entries(refused)) {
  test(`GET ${path} is refused with ${status}`, async () => {
    const before = named.arrivals.length;
    assert.equal((await get(path)).status, status);
    assert.equal(named.arrivals.length, before);
  });
}

test('however the path is written, a route that wants a header is not reached without it', async () => {
  const ways = [
    'secret',
    '%73ecret',
    'm/../secret',
    'm/%2e%2e/secret',
    './secret',
    'secret?x=/v2/models/m',
    'm%2F..%2Fsecret',
    'secret%2F..%2Fm',
    'secret/',
    'Secret',
    '/secret',
    'm;/../secret',
    'secret#/v2/models/m',
  ];
  for (const way of ways) {
    await get(`/v2/models/${way}`);
    await get(`http://localhost/v2/models/${way}`);
  }
  assert.equal(other.arrivals.length, 0);
  assert.equal((await get('/v2/models/secret', ['x-key: k'])).body, 'other');
  assert.equal((await get('/v2/models/x/../%73ecret', ['x-key: k'])).body, 'other');
});

test('bytes beyond ASCII in a target do no harm', async () => {
  for (const target of ['/v2/models/ü-1', '/v2/models/m?name=ü', '/v2/models/\u00ff', '/\u0080']) {
    const { status } = await ask(gateway.client, Buffer.from(request({ line: `GET ${target}` }), 'utf8'));
    assert.ok([200, 400, 404].includes(status), `${target}: ${status}`);
    const latin = await ask(gateway.client, Buffer.from(request({ line: `GET ${target}` }), 'latin1'));
    assert.ok([200, 400, 404].includes(latin.status), `${target}: ${latin.status}`);
  }
  assert.equal(await gateway.metric('headgate_tries_total', { outcome: 'failed' }), 0);
});

test('names beyond ASCII in the configuration stand encoded in headers', async () => {
  const { status, header } = await get('/v2/models/alias');
  assert.equal(status, 200);
  assert.equal(header('x-headgate-model'), '%E6%A8%A1%E5%9E%8B/1');
  assert.equal(header('x-headgate-replica'), 'named/r%C3%A9plique-%E4%B8%80');
});

test('an unknown model is refused with the names of those there are', async () => {
  const { status, body } = await get('/v2/models/unknown');
  assert.equal(status, 404);
  for (const name of ['m', 'a/b', 'alias', 'secret']) assert.match(body, new RegExp(`[ ,]${name}[,"]`));
});

test('a thousand requests on one connection are answered in their order, however they come', async () => {
  const client = new RawClient(gateway.client);
  named.script = ({ line, socket }) => socket.write(okAnswer(line));
  const line = (n: number): string => `GET /v2/models/m/versions/${n}`;
  for (let n = 0; n < 500; n++) {
    client.send(request({ line: line(n) }));
    assert.equal((await client.answer()).body, `${line(n)} HTTP/1.1`);
  }
  for (let from = 500; from < 1000; from += 50) {
    const numbers = Array.from({ length: 50 }, (_, at) => from + at);
    client.send(numbers.map((n) => request({ line: line(n), headers: [`x-request-id: n${n}`] })).join(''));
    for (const n of numbers) {
      const { body, header } = await client.answer();
      assert.equal(body, `${line(n)} HTTP/1.1`);
      assert.equal(header('x-request-id'), `n${n}`);
    }
  }
  client.leave();
  assert.doesNotMatch(gateway.process.stderr, /MaxListeners|Warning/);
  assert.equal(lineOf(named.arrivals.at(-1)?.headers ?? [], 'host'), new URL(named.url).host);
});
