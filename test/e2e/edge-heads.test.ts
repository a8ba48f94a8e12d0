import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startEdgeGateway } from '../support/edge-gateway.ts';
import { eventually } from '../support/gateway-process.ts';
import { lineOf, okAnswer } from '../support/raw-backend.ts';
import { ask, RawClient, request } from '../support/raw-client.ts';

const gateway = await startEdgeGateway({ after });
const { backend } = gateway;
const port = new URL(gateway.client).port;
const infer = { line: 'POST /v2/models/m/infer', body: '{"inputs":[]}' };

/** The message in an error of the Open Inference Protocol. */
function errorIn(body: string): string {
  const { error } = JSON.parse(body) as { error: unknown };
  assert.equal(typeof error, 'string');
  return String(error);
}

for (const host of [
  'localhost',
  `localhost:${port}`,
  '127.0.0.1',
  `127.0.0.1:${port}`,
  '[::1]',
  `[::1]:${port}`,
  'LocalHost:1',
]) {
  test(`host ${host} is served on loopback`, async () => {
    assert.equal((await ask(gateway.client, request({ ...infer, host }))).status, 200);
    assert.equal((await ask(gateway.client, request({ line: 'GET /v2/health/live', host }))).status, 200);
    assert.equal((await ask(gateway.admin, request({ line: 'GET /healthz', host }))).status, 200);
  });
}

const foreign = [
  'evil.example',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  '127.0.0.2',
  '[::2]',
  '0.0.0.0',
  'localhost@evil.example',
  'localhost:80:80',
  '127.1',
  '2130706433',
];
for (const host of foreign) {
  test(`host ${host} is refused, wherever it asks`, async () => {
    const before = backend.arrivals.length;
    for (const [to, line] of [
      [gateway.client, 'POST /v2/models/m/infer'],
      [gateway.client, 'GET /v2/health/live'],
      [gateway.client, 'GET /nothing'],
      [gateway.admin, 'GET /healthz'],
      [gateway.admin, 'GET /metrics'],
      [gateway.admin, 'GET /api/config'],
    ] as const) {
      const { status, body } = await ask(to, request({ line, host }));
      assert.ok(status === 421 || status === 400, `${line}: ${status}`);
      assert.match(errorIn(body), /host/);
    }
    assert.equal(backend.arrivals.length, before);
  });
}

test('of a whole URL in the request line the authority counts, and not the host header', async () => {
  const at = (url: string, host: string) => ask(gateway.client, request({ ...infer, line: `POST ${url}`, host }));
  assert.equal((await at('http://evil.example/v2/models/m/infer', 'localhost')).status, 421);
  assert.equal((await at('http://localhost/v2/models/m/infer', 'evil.example')).status, 200);
  assert.equal((await at('http://localhost@evil.example/v2/models/m/infer', 'localhost')).status, 421);
});

test('two host headers are refused', async () => {
  for (const hosts of [
    ['localhost', 'evil.example'],
    ['evil.example', 'localhost'],
    ['localhost', 'localhost'],
  ]) {
    const { status } = await ask(
      gateway.client,
      request({ ...infer, host: hosts[0] ?? '', headers: [`host: ${hosts[1]}`] }),
    );
    assert.ok(status === 400 || status === 421, `${hosts}: ${status}`);
  }
});

test('HTTP/1.0 without a host is served, HTTP/1.1 without one is refused', async () => {
  assert.equal((await ask(gateway.client, 'GET /v2/health/live HTTP/1.0\r\n\r\n')).status, 200);
  assert.equal(
    (await ask(gateway.client, 'POST /v2/models/m/infer HTTP/1.0\r\ncontent-length: 2\r\n\r\n{}')).status,
    200,
  );
  assert.equal((await ask(gateway.client, 'GET /v2/health/live HTTP/1.1\r\n\r\n')).status, 400);
});

test('HEAD answers with the head that GET has, and no body, and its connection goes on', async () => {
  backend.script = ({ line, socket }) =>
    socket.write(line.startsWith('HEAD') ? 'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n' : okAnswer('done'));
  const client = new RawClient(gateway.client);
  for (const path of ['/v2/models/m', '/v2/models/m/ready', '/v2', '/v2/health/live', '/v2/models', '/nothing']) {
    const get = await client.send(request({ line: `GET ${path}` })).answer();
    const head = await client.send(request({ line: `HEAD ${path}` })).answer('HEAD');
    assert.equal(head.status, get.status, path);
    assert.equal(head.header('content-type'), get.header('content-type'), path);
    const length = head.header('content-length');
    // A refusal names the method, which makes it longer.
    if (get.status === 200) assert.ok(length === null || length === get.header('content-length'), `${path}: ${length}`);
    assert.equal(head.header('x-hono-already-sent'), null);
    assert.equal(client.held.length, 0);
  }
  client.leave();
});

test('a method that a path has not is refused with those it has', async () => {
  for (const method of ['OPTIONS', 'PUT', 'DELETE', 'PATCH', 'GET']) {
    const { status, body, header } = await ask(
      gateway.client,
      request({ ...infer, line: `${method} /v2/models/m/infer` }),
    );
    assert.equal(status, 405, method);
    assert.equal(header('allow'), 'POST');
    assert.equal(errorIn(body), `/v2/models/m/infer: got ${method}, wanted POST`);
    assert.equal(header('access-control-allow-origin'), null);
  }
  const onMetadata = await ask(gateway.client, request({ ...infer, line: 'POST /v2/models/m' }));
  assert.equal(onMetadata.status, 405);
  assert.equal(onMetadata.header('allow'), 'GET, HEAD');
});

test('TRACE and CONNECT are refused, and nothing of them reaches a backend', async () => {
  const before = backend.arrivals.length;
  for (const headers of [[], ['expect: 100-continue', 'content-length: 0']]) {
    const { status, header, body } = await ask(
      gateway.client,
      request({ line: 'TRACE /v2/models/m', headers: ['cookie: secret', ...headers] }),
    );
    // Before anything has looked at the path.
    assert.deepEqual([status, header('allow'), body], [405, 'GET, POST', '']);
  }
  for (const line of ['CONNECT example.com:443', `CONNECT 127.0.0.1:${backend.port}`]) {
    const client = new RawClient(gateway.client).send(request({ line }));
    assert.equal((await client.answer()).status, 405);
    client.send(request(infer));
    await client.closed;
    assert.equal(client.held.length, 0);
  }
  assert.equal(backend.arrivals.length, before);
});

test('an upgrade to another protocol is refused, an offer of HTTP/2 is passed over', async () => {
  const upgrade = (to: string): string[] => ['connection: upgrade', `upgrade: ${to}`, 'sec-websocket-key: x'];
  const client = new RawClient(gateway.client).send(
    request({ line: 'GET /v2/models/m', headers: upgrade('websocket') }),
  );
  assert.equal((await client.answer()).status, 501);
  await client.closed;
  const offered = await ask(
    gateway.client,
    request({ ...infer, headers: [...upgrade('h2c'), 'http2-settings: AAMAAABkAAQAAP__'] }),
  );
  assert.equal(offered.status, 200);
  const arrival = backend.arrivals.at(-1);
  for (const name of ['upgrade', 'http2-settings', 'connection']) {
    const value = lineOf(arrival?.headers ?? [], name);
    assert.ok(value === null || value === 'keep-alive', `${name}: ${value}`);
  }
});

test('clients that reset a refused tunnel or upgrade do no harm', async () => {
  for (let n = 0; n < 50; n++) {
    const headers = n % 2 === 0 ? [] : ['connection: upgrade', 'upgrade: websocket'];
    const client = new RawClient(gateway.client);
    await new Promise((resolve) => client.socket.once('connect', resolve));
    client.send(request({ line: n % 2 === 0 ? 'CONNECT example.com:443' : 'GET /', headers }));
    if (n % 4 < 2) await new Promise((resolve) => setImmediate(resolve));
    client.leave('reset');
  }
  assert.equal((await ask(gateway.client, request(infer))).status, 200);
  assert.equal(gateway.process.child.exitCode, null, gateway.process.stderr);
});

test('a head of more than 16 KiB is refused with 431', async () => {
  const padding = (size: number): string[] => [`x-padding: ${'p'.repeat(size)}`];
  assert.equal((await ask(gateway.client, request({ ...infer, headers: padding(15_000) }))).status, 200);
  assert.equal((await ask(gateway.client, request({ ...infer, headers: padding(17_000) }))).status, 431);
  const many = Array.from({ length: 3000 }, (_, at) => `x-${at}: v`);
  assert.equal((await ask(gateway.client, request({ ...infer, headers: many }))).status, 431);
});

test('the gateway answers with an id: the one that was given if it is decent, else its own', async () => {
  const idFor = async (...given: string[]): Promise<string | null> => {
    const headers = given.map((id) => `x-request-id: ${id}`);
    return (await ask(gateway.client, request({ ...infer, headers }))).header('x-request-id');
  };
  for (const good of ['a', 'Az_0-9=', 'x'.repeat(255)]) {
    assert.equal(await idFor(good), good);
    assert.equal(lineOf(backend.arrivals.at(-1)?.headers ?? [], 'x-request-id'), good);
  }
  for (const bad of ['', 'a b', 'a.b', 'a"b', '\u00e9', '{}', 'x'.repeat(256)]) {
    const id = await idFor(bad);
    assert.match(id ?? '', /^[\w\-=]{8,255}$/);
    assert.notEqual(id, bad);
    assert.equal(lineOf(backend.arrivals.at(-1)?.headers ?? [], 'x-request-id'), id);
  }
  assert.match((await idFor('one', 'two')) ?? '', /^[\w\-=]{8,255}$/);
});

test('what the gateway answers without any replica carries an id, too', async () => {
  for (const line of ['GET /v1/models', 'GET /v2', 'GET /v2/health/live']) {
    const idFor = async (...headers: string[]): Promise<string | null> =>
      (await ask(gateway.client, request({ line, headers }))).header('x-request-id');
    assert.equal(await idFor('x-request-id: mine'), 'mine', line);
    assert.match((await idFor()) ?? '', /^[\w\-=]{8,255}$/, line);
  }
});

test('an answer says which replica gave it, once, whatever the replica says', async () => {
  backend.script = ({ socket }) =>
    socket.write(okAnswer('done', 'x-headgate-replica: other/b', 'x-request-id: other', 'x-headgate-model: other'));
  const { header } = await ask(gateway.client, request({ ...infer, headers: ['x-request-id: mine'] }));
  assert.equal(header('x-headgate-replica'), 'pool/a');
  assert.equal(header('x-request-id'), 'mine');
  assert.equal(header('x-headgate-model'), null);
  backend.script = ({ socket }) => socket.write(okAnswer('done'));
});

test('an answer tells where its time went, behind what the replica tells of its own', async () => {
  backend.script = ({ socket }) => {
    setTimeout(() => socket.write(okAnswer('done', 'server-timing: db;dur=1, upstream;dur=2')), 60);
  };
  const { header } = await ask(gateway.client, request(infer));
  const numbers = /^db;dur=1, upstream;dur=2, ?queue;dur=([\d.]+), upstream;dur=([\d.]+), total;dur=([\d.]+)$/;
  const [, ...told] = numbers.exec(header('server-timing') ?? '') ?? [];
  const [queueMs = Number.NaN, upstreamMs = Number.NaN, totalMs = Number.NaN] = told.map(Number);
  assert.ok(queueMs === 0 && upstreamMs >= 59 && totalMs >= upstreamMs, header('server-timing') ?? 'nothing');
  backend.script = ({ socket }) => socket.write(okAnswer('done'));
  const refused = await ask(gateway.client, request({ line: 'POST /v2/models/unknown/infer', body: '{}' }));
  assert.match(refused.header('server-timing') ?? '', /^queue;dur=0, total;dur=[\d.]+$/);
});

test('a time limit that is none is refused in the protocol’s own shape', async () => {
  for (const given of ['soon', '0', '-5', '5s', 'NaN', ' ', '1, 2', '0x10', '1e3']) {
    const { status, body } = await ask(
      gateway.client,
      request({ ...infer, headers: [`x-request-timeout-ms: ${given}`] }),
    );
    assert.equal(status, 400, given);
    assert.match(errorIn(body), /^x-request-timeout-ms: got .*, wanted milliseconds above 0$/);
  }
  const { status, body } = await ask(gateway.client, request({ ...infer, headers: ['x-stainless-timeout: no'] }));
  assert.equal(status, 400);
  assert.equal(errorIn(body), 'x-stainless-timeout: got no, wanted seconds');
});

test('a time limit is kept: 504 when it has passed, the upstream request ended with it', async () => {
  backend.script = () => {};
  for (const header of ['x-request-timeout-ms: 150', 'x-stainless-timeout: 0.15']) {
    const startedAtMs = performance.now();
    const { status, body } = await ask(gateway.client, request({ ...infer, headers: [header] }));
    const tookMs = performance.now() - startedAtMs;
    assert.equal(status, 504);
    assert.match(errorIn(body), /deadline/);
    assert.ok(tookMs >= 145 && tookMs < 600, `${header} took ${tookMs} ms`);
    const arrival = backend.arrivals.at(-1);
    const left = Number(lineOf(arrival?.headers ?? [], 'x-request-timeout-ms'));
    assert.ok(left > 0 && left <= 150, `${left} ms were left`);
    await eventually('the upstream request is ended', () => (arrival?.closedAtMs ?? null) !== null, 500);
  }
  backend.script = ({ socket }) => socket.write(okAnswer('done'));
});
