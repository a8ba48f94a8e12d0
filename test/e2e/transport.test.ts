import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { startEdgeGateway } from '../support/edge-gateway.ts';
import { eventually, pause, startGateway } from '../support/gateway-process.ts';
import { type Arrival, answer, lineOf, okAnswer, RawBackend } from '../support/raw-backend.ts';
import { ask, RawClient, request } from '../support/raw-client.ts';

const gateway = await startEdgeGateway({ after });
const { backend } = gateway;
const infer = { line: 'POST /v2/models/m/infer', body: '{"inputs":[]}' };
const done = ({ socket }: Arrival): boolean => socket.write(okAnswer('done'));

test('a replica that refuses connections is passed over for another: each request is executed once', async (context) => {
  const gone = await RawBackend.start(context, done);
  const well = await RawBackend.start(context, done);
  const replicas = `[{ id: gone, url: "${gone.url}" }, { id: well, url: "${well.url}" }]`;
  const pool = `{ name: pool, protocol: open-inference, models: [m], policy: round-robin, replicas: ${replicas} }`;
  const two = await startGateway(context, `backends: [${pool}]\ntelemetry: { log: silent }\n`);
  gone.close();
  for (let n = 0; n < 20; n++) {
    const { status, header } = await ask(two.client, request(infer));
    assert.equal(status, 200);
    assert.equal(header('x-headgate-replica'), 'pool/well');
  }
  assert.equal(well.arrivals.length, 20);
  assert.equal(gone.arrivals.length, 0);
  assert.ok((await two.metric('headgate_tries_total', { outcome: 'failed' })) > 0);
  assert.equal(await two.metric('headgate_requests_total', { code: '200' }), 20);
});

test('a replica that reads a request and resets is not asked again: 502', async () => {
  const before = backend.arrivals.length;
  backend.script = ({ socket }) => socket.resetAndDestroy();
  const { status, body, header } = await ask(gateway.client, request(infer));
  assert.equal(status, 502);
  assert.equal(body, '{"error":"replica pool/a broke off before it had answered"}');
  assert.equal(header('x-headgate-replica'), 'pool/a');
  assert.equal(backend.arrivals.length, before + 1);
});

test('garbage in the place of an answer is 502, and the next client gets its own answer', async () => {
  for (const bytes of [
    'garbage\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  ]) {
    backend.script = ({ socket }) => socket.write(bytes);
    assert.equal((await ask(gateway.client, request(infer))).status, 502);
    backend.script = done;
    assert.equal((await ask(gateway.client, request(infer))).body, 'done');
  }
});

test('an answer that breaks off breaks the client’s connection off, after what came', async () => {
  for (const framing of ['content-length: 10', 'transfer-encoding: chunked']) {
    const part = framing.startsWith('t') ? '3\r\nabc\r\n' : 'abc';
    backend.script = ({ socket }) =>
      socket.write(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n${part}`, () => setTimeout(() => socket.destroy(), 20));
    const client = new RawClient(gateway.client).send(request(infer));
    await client.closed;
    assert.match(client.held.toString(), /^HTTP\/1\.1 200 .*abc/s);
    assert.doesNotMatch(client.held.toString(), /\r\n0\r\n\r\n$/);
  }
});

test('to a client of HTTP/1.0, for whom the end of the connection ends a body, a broken one is a reset', async () => {
  const tail = 'transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n';
  backend.script = ({ socket }) => socket.end(`HTTP/1.1 200 OK\r\n${tail}0\r\n\r\n`);
  const whole = new RawClient(gateway.client).send('GET /v2/models/m HTTP/1.0\r\n\r\n');
  assert.equal(await whole.closed, null);
  assert.match(whole.held.toString(), /\r\n\r\nabc$/);
  backend.script = ({ socket }) =>
    socket.write(`HTTP/1.1 200 OK\r\n${tail}`, () => setTimeout(() => socket.destroy(), 20));
  const broken = new RawClient(gateway.client).send('GET /v2/models/m HTTP/1.0\r\n\r\n');
  assert.equal(await broken.closed, 'ECONNRESET');
});

test('a status passes with its headers and its body, whatever it is', async () => {
  for (const status of [
    '201 Created',
    '302 Found',
    '400 Bad Request',
    '404 Not Found',
    '418 Teapot',
    '429 Too Many Requests',
    '500 Internal Server Error',
    '503 Service Unavailable',
  ]) {
    backend.script = ({ socket }) =>
      socket.write(answer(status, 'as it is', 'x-own: 1', 'retry-after: 7', 'location: /x'));
    const got = await ask(gateway.client, request(infer));
    assert.equal(`${got.status}`, status.slice(0, 3));
    assert.deepEqual(
      [got.body, got.header('x-own'), got.header('retry-after'), got.header('location')],
      ['as it is', '1', '7', '/x'],
    );
    // One that declines would be left alone for as long as it has asked to be.
    await gateway.change('/api/replicas/pool/a/readmit');
  }
  backend.script = ({ socket }) => socket.write('HTTP/1.1 204 No Content\r\n\r\n');
  assert.equal((await ask(gateway.client, request(infer))).status, 204);
  backend.script = ({ socket }) => socket.write('HTTP/1.1 304 Not Modified\r\netag: "a"\r\n\r\n');
  assert.equal((await ask(gateway.client, request({ line: 'GET /v2/models/m' }))).header('etag'), '"a"');
});

test('a body passes byte for byte, in however small pieces it comes', async () => {
  const text = Array.from({ length: 300 }, (_, at) => String.fromCharCode(32 + (at % 90))).join('');
  backend.script = async ({ socket }) => {
    socket.setNoDelay(true);
    const bytes = `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${[...text].map((one) => `1\r\n${one}\r\n`).join('')}0\r\n\r\n`;
    for (const [at, one] of [...bytes].entries()) {
      socket.write(one);
      if (at % 23 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  assert.equal((await ask(gateway.client, request(infer))).body, text);
  backend.script = ({ socket }) =>
    socket.write(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(60_000)}0\r\n\r\n`);
  assert.equal((await ask(gateway.client, request(infer))).body.length, 60_000);
  assert.doesNotMatch(gateway.process.stderr, /Warning/);
});

test('the first piece of a stream reaches the client before the second is there', async () => {
  let goOn = (): void => {};
  backend.script = ({ socket }) => {
    socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n');
    goOn = () => socket.write('6\r\nsecond\r\n0\r\n\r\n');
  };
  const client = new RawClient(gateway.client).send(request(infer));
  while (!client.held.includes('first')) await client.more();
  goOn();
  assert.equal((await client.answer()).body, 'firstsecond');
  client.leave();
});

test('a client’s credentials and claims never reach a replica, the replica’s own headers do', async (context) => {
  const keyed = await RawBackend.start(context, done);
  const headers = '{ authorization: "Bearer canary-upstream", x-extra: canary-extra }';
  const pool = `{ name: pool, protocol: open-inference, models: [m], replicas: [{ url: "${keyed.url}", headers: ${headers} }] }`;
  const one = await startGateway(context, `backends: [${pool}]\ntelemetry: { log: debug }\n`);
  const claims = [
    'authorization: Bearer canary-client',
    'x-api-key: canary-client',
    'proxy-authorization: canary-client',
    'x-forwarded-for: canary-client',
    'forwarded: for=canary-client',
    'x-real-ip: canary-client',
    'x_forwarded_for: canary-client',
    'x-extra: canary-client',
    'te: trailers',
    'connection: x-mine',
    'x-mine: canary-client',
    'x-headgate-admin: canary-client',
  ];
  assert.equal((await ask(one.client, request({ ...infer, headers: [...claims, 'x-kept: yes'] }))).status, 200);
  const arrival = keyed.arrivals[0];
  assert.equal(lineOf(arrival?.headers ?? [], 'authorization'), 'Bearer canary-upstream');
  assert.equal(lineOf(arrival?.headers ?? [], 'x-extra'), 'canary-extra');
  assert.equal(lineOf(arrival?.headers ?? [], 'x-kept'), 'yes');
  assert.doesNotMatch(arrival?.headers.join('\n') ?? '', /canary-client/);

  keyed.script = ({ socket }) => socket.write(answer('401 Unauthorized', 'your key canary-upstream is bad'));
  const refused = await ask(one.client, request({ ...infer, headers: claims }));
  assert.equal(refused.status, 502);
  const shown = [JSON.stringify(refused), one.process.stdout, one.process.stderr];
  for (const path of ['/metrics', '/api/config', '/api/backends', '/readyz', '/'])
    shown.push((await ask(one.admin, request({ line: `GET ${path}` }))).body);
  assert.doesNotMatch(shown.join('\n'), /canary/);
});

test('a backend that floods a slow client is held back, and the gateway keeps its size', async () => {
  const totalBytes = 200 * 1024 * 1024;
  const piece = Buffer.alloc(256 * 1024, 'f');
  let sentBytes = 0;
  backend.script = ({ socket }) => {
    const push = (): void => {
      while (sentBytes < totalBytes && !socket.destroyed) {
        sentBytes += piece.length;
        if (socket.write(piece)) continue;
        socket.once('drain', push);
        return;
      }
    };
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${totalBytes}\r\n\r\n`);
    push();
  };
  const client = new RawClient(gateway.client);
  const before = rssBytes(gateway.process.pid);
  client.send(request(infer));
  await client.more();
  client.socket.pause();
  client.held = Buffer.alloc(0);
  let lastBytes = -1;
  await eventually('the backend can send no more', async () => {
    const isStill = sentBytes === lastBytes;
    lastBytes = sentBytes;
    await pause(200);
    return isStill;
  });
  assert.ok(sentBytes < 32 * 1024 * 1024, `the backend could send ${sentBytes} bytes`);
  const grownBytes = rssBytes(gateway.process.pid) - before;
  assert.ok(grownBytes < 10 * 1024 * 1024, `the gateway grew by ${grownBytes} bytes`);

  let readBytes = 0;
  client.socket.removeAllListeners('data');
  client.socket.on('data', (chunk: Buffer) => {
    readBytes += chunk.length;
  });
  client.socket.resume();
  await eventually('a client that reads again gets the rest', () => readBytes > 150 * 1024 * 1024, 20_000);
  client.leave();
  await eventually('nothing is in flight', async () => (await gateway.metric('headgate_replica_in_flight')) === 0);
});

function rssBytes(pid: number): number {
  const [, kib = '0'] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}

test('an answer that breaks off before its first byte is a 502 in words, and counted as one', async (context) => {
  const gateway = await startEdgeGateway(context);
  const infer = request({ line: 'POST /v2/models/m/infer', body: '{}' });
  for (const begun of ['content-length: 100\r\n\r\n', 'transfer-encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n']) {
    gateway.backend.script = ({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\n${begun}`);
      setTimeout(() => socket.destroy(), 20);
    };
    const { status, body, header } = await ask(gateway.client, infer);
    assert.equal(status, 502);
    assert.match(body, /^\{"error":"replica pool\/a broke off/);
    assert.equal(header('x-headgate-replica'), 'pool/a');
  }
  assert.equal(await gateway.metric('headgate_requests_total', { code: '502' }), 2);
  assert.equal(await gateway.metric('headgate_replica_in_flight'), 0);
});
