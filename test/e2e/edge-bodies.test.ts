import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startEdgeGateway } from '../support/edge-gateway.ts';
import { eventually, pause } from '../support/gateway-process.ts';
import { okAnswer } from '../support/raw-backend.ts';
import { ask, RawClient, request } from '../support/raw-client.ts';

const maxBodyBytes = 100_000;
const gateway = await startEdgeGateway(
  { after },
  `listen: { port: 0, max_body: ${maxBodyBytes}B, max_buffered: 250000B }`,
);
const { backend } = gateway;
const infer = 'POST /v2/models/m/infer';
const small = { line: infer, body: '{"inputs":[]}' };
const chunk = (size: number): string => `${size.toString(16)}\r\n${'c'.repeat(size)}\r\n`;

test('a body of exactly the limit passes, and reaches the backend whole', async () => {
  const body = 'b'.repeat(maxBodyBytes);
  assert.equal((await ask(gateway.client, request({ line: infer, body }))).status, 200);
  assert.equal(backend.arrivals.at(-1)?.body.toString(), body);
  const head = request({ line: infer, headers: ['transfer-encoding: chunked'] });
  assert.equal((await ask(gateway.client, `${head}${chunk(60_000)}${chunk(40_000)}0\r\n\r\n`)).status, 200);
  assert.equal(backend.arrivals.at(-1)?.body.toString(), 'c'.repeat(maxBodyBytes));
});

test('a declared length over the limit is refused before any of the body is sent', async () => {
  const before = backend.arrivals.length;
  const client = new RawClient(gateway.client);
  const { status, body, header } = await client
    .send(request({ line: infer, headers: [`content-length: ${maxBodyBytes + 1}`] }))
    .answer();
  assert.equal(status, 413);
  assert.equal(body, `{"error":"the body is over ${maxBodyBytes} bytes (listen.max_body)"}`);
  assert.equal(header('connection'), 'close');
  await client.closed;
  assert.equal(backend.arrivals.length, before);
});

test('a client that sends its oversized body all the same gets the answer, not a reset', async () => {
  const client = new RawClient(gateway.client);
  client.send(request({ line: infer, body: 'b'.repeat(800_000) }));
  assert.equal((await client.answer()).status, 413);
  assert.equal(await client.closed, null);
});

test('a chunked body is refused where it crosses the limit', async () => {
  const before = backend.arrivals.length;
  const client = new RawClient(gateway.client);
  client.send(request({ line: infer, headers: ['transfer-encoding: chunked'] }));
  client.send(chunk(60_000));
  await pause(20);
  assert.equal(client.held.length, 0);
  client.send(chunk(60_000));
  assert.equal((await client.answer()).status, 413);
  client.send(request(small));
  await client.closed;
  assert.equal(client.held.length, 0, 'what followed on the connection was not answered');
  assert.equal(backend.arrivals.length, before);
});

test('bytes behind an understated length are no request', async () => {
  const garbage = 'GARBAGE /v2/models/m HTTP/1.1\r\nhost: localhost\r\n\r\n';
  const client = new RawClient(gateway.client);
  client.send(`${request({ line: infer, headers: ['content-length: 2', 'x-understated: yes'] })}{}${garbage}`);
  // The garbage may be found before the first request is answered.
  const first = await client.answer();
  if (first.status === 200) assert.equal((await client.answer()).status, 400);
  else assert.equal(first.status, 400);
  await client.closed;
  assert.ok(backend.arrivals.every(({ line }) => !line.startsWith('GARBAGE')));
  const [arrival] = backend.arrivals.filter((one) => one.headers.includes('x-understated: yes'));
  if (arrival !== undefined) assert.equal(arrival.body.toString(), '{}');
});

test('an overstated length waits for the rest, and reaches no backend when the client gives up', async () => {
  const headers = ['content-length: 50', 'x-given-up: yes'];
  const client = new RawClient(gateway.client).send(`${request({ line: infer, headers })}{}`);
  await pause(30);
  client.socket.end();
  assert.equal((await client.answer()).status, 400);
  await client.closed;
  assert.ok(backend.arrivals.every((one) => !one.headers.includes('x-given-up: yes')));
});

const ambiguous: Readonly<Record<string, readonly string[]>> = {
  'a length and chunks': ['content-length: 5', 'transfer-encoding: chunked'],
  'chunks and a length': ['transfer-encoding: chunked', 'content-length: 5'],
  'two lengths': ['content-length: 5', 'content-length: 6'],
  'two equal lengths': ['content-length: 5', 'content-length: 5'],
  'a list of lengths': ['content-length: 5, 5'],
  'a signed length': ['content-length: +5'],
  'a negative length': ['content-length: -5'],
  'a hexadecimal length': ['content-length: 0x5'],
  'a length beyond all numbers': ['content-length: 99999999999999999999'],
  'an encoding behind chunked': ['transfer-encoding: chunked, identity'],
  'an unknown encoding': ['transfer-encoding: xchunked'],
  'a space before the colon': ['transfer-encoding : chunked'],
  'a folded header': ['transfer-encoding:\r\n chunked'],
  'a bare carriage return': ['x-a: b\rtransfer-encoding: chunked'],
  'a zero byte': ['x-a: b\0c'],
};
for (const [claim, headers] of Object.entries(ambiguous)) {
  test(`${claim}: refused, and the connection closed`, async () => {
    const marked = request({ line: infer, headers: [...headers, 'x-ambiguous: yes'] });
    const client = new RawClient(gateway.client).send(
      `${marked}0\r\n\r\n${request({ ...small, headers: ['x-ambiguous: yes'] })}`,
    );
    assert.equal((await client.answer()).status, 400);
    await client.closed;
    assert.equal(client.held.length, 0);
    assert.ok(backend.arrivals.every((one) => !one.headers.includes('x-ambiguous: yes')));
  });
}

test('after an answer that came early, no part of the body is taken for a request', async () => {
  const before = backend.arrivals.length;
  const smuggled = request({ ...small, headers: ['x-smuggled: yes'] });
  for (const size of [smuggled.length, 30_000, 90_000, 500_000]) {
    const body = smuggled.padEnd(size, 'x');
    const client = new RawClient(gateway.client).send(request({ line: 'POST /nothing/here', body }).slice(0, 120));
    assert.equal((await client.answer()).status, 404);
    client
      .send(request({ line: 'POST /nothing/here', body }).slice(120))
      .send(request({ ...small, headers: ['x-second: yes'] }));
    // Either the rest was read away and the next request is served, or the connection is closed.
    const second = await client.answer().catch(() => null);
    assert.ok(second === null || second.status === 200);
    client.leave();
  }
  assert.ok(backend.arrivals.slice(before).every((one) => !one.headers.includes('x-smuggled: yes')));
});

test('a body that no endpoint wants is read away, and the connection serves the next request', async () => {
  const client = new RawClient(gateway.client);
  for (const line of ['GET /v2/health/live', 'GET /v2/models/m', 'POST /nothing']) {
    client.send(request({ line, body: 'GET /smuggled HTTP/1.1\r\nhost: localhost\r\n\r\n' })).send(request(small));
    assert.equal((await client.answer()).status, line === 'POST /nothing' ? 404 : 200);
    assert.equal((await client.answer()).status, 200);
  }
  client.leave();
});

test('the departure of a client that sent a body nobody wanted is seen', async () => {
  backend.script = () => {};
  const client = new RawClient(gateway.client);
  client.send(request({ line: 'GET /v2/models/m', body: 'b'.repeat(1_000_000) }));
  const { length } = backend.arrivals;
  await eventually('the request reaches the backend', () => backend.arrivals.length > length);
  await pause(50);
  client.leave();
  await eventually('its connection is ended', () => (backend.arrivals.at(-1)?.closedAtMs ?? null) !== null, 200);
  backend.script = ({ socket }) => socket.write(okAnswer('done'));
});

test('a client is told to go on only when its head has passed', async () => {
  const before = backend.arrivals.length;
  const expect = (length: number, line = infer): string =>
    request({ line, headers: [`content-length: ${length}`, 'expect: 100-continue'] });
  const client = new RawClient(gateway.client).send(expect(13));
  while (!client.held.includes('HTTP/1.1 100 Continue\r\n\r\n')) await client.more();
  assert.equal(backend.arrivals.length, before);
  assert.equal((await client.send('{"inputs":[]}').answer()).status, 200);
  client.leave();
  assert.equal(backend.arrivals.at(-1)?.body.toString(), '{"inputs":[]}');

  for (const [head, wanted] of [
    [expect(maxBodyBytes + 1), 413],
    [expect(13, 'POST /nothing'), 404],
    [expect(13).replace('host: localhost', 'host: evil.example'), 421],
  ] as const) {
    const refused = new RawClient(gateway.client).send(head);
    while (!refused.held.includes('\r\n\r\n')) await refused.more();
    assert.ok(!refused.held.includes('100 Continue'));
    assert.equal((await refused.answer()).status, wanted);
    await refused.closed;
  }
  assert.equal((await ask(gateway.client, request({ ...small, headers: ['expect: miracles'] }))).status, 417);
});

test('beyond what all bodies together may take the gateway refuses, and takes bodies again when there is room', async () => {
  const slow = [1, 2].map(() => new RawClient(gateway.client));
  for (const client of slow) {
    client.send(request({ line: infer, headers: ['content-length: 100000', 'expect: 100-continue'] }));
    while (!client.held.includes('100 Continue')) await client.more();
  }
  const big = request({ line: infer, body: 'b'.repeat(60_000) });
  assert.equal((await ask(gateway.client, big)).status, 200, 'what was only announced takes no room');
  for (const client of slow) client.send('b'.repeat(98_000));
  await eventually('there is no room', async () => (await ask(gateway.client, big)).status === 503);
  const refused = await ask(gateway.client, big);
  assert.equal(refused.header('retry-after'), '1');
  assert.match(refused.body, /max_buffered/);
  const chunked = request({ line: infer, headers: ['transfer-encoding: chunked'] }) + chunk(40_000) + chunk(40_000);
  assert.equal((await ask(gateway.client, chunked)).status, 503);
  assert.equal((await ask(gateway.client, request(small))).status, 200, 'small ones still find room');
  slow[0]?.leave();
  await eventually('there is room again', async () => (await ask(gateway.client, big)).status === 200);
  assert.equal((await slow[1]?.send('b'.repeat(2_000)).answer())?.status, 200);
  slow[1]?.leave();
  for (let n = 0; n < 10; n++) assert.equal((await ask(gateway.client, big)).status, 200);
});

test('a time limit holds while the body is still coming', async () => {
  const startedAtMs = performance.now();
  const headers = ['content-length: 1000', 'x-request-timeout-ms: 100'];
  const { status } = await ask(gateway.client, request({ line: infer, headers }));
  assert.equal(status, 504);
  assert.ok(performance.now() - startedAtMs < 600);
});

test('a body in any transfer coding but chunked is refused, for none would tell the replica of it', async () => {
  const coded = request({ line: infer, headers: ['transfer-encoding: gzip, chunked'] }) + chunk(10);
  const { status, body } = await ask(gateway.client, coded);
  assert.equal(status, 415);
  assert.match(body, /transfer-encoding: got gzip, chunked, wanted chunked alone/);
});
