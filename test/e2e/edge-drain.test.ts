import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type EdgeGateway, startEdgeGateway } from '../support/edge-gateway.ts';
import { eventually, HeadgateProcess, pause, watchGateway } from '../support/gateway-process.ts';
import { okAnswer, RawBackend } from '../support/raw-backend.ts';
import { ask, RawClient, request } from '../support/raw-client.ts';

const infer = request({ line: 'POST /v2/models/m/infer', body: '{}' });

function notReady({ admin }: EdgeGateway): Promise<void> {
  const readyz = request({ line: 'GET /readyz' });
  return eventually('it is not ready', async () => (await ask(admin, readyz)).status === 503);
}

test('a gateway told to end says so, takes no more, finishes what runs and exits 0', async (context) => {
  const gateway = await startEdgeGateway(context);
  const idle = new RawClient(gateway.client).send(infer);
  assert.equal((await idle.answer()).status, 200);
  const { backend } = gateway;
  backend.script = ({ socket }) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf');
  const running = Array.from({ length: 50 }, () => new RawClient(gateway.client).send(infer));
  await eventually('all run', () => backend.arrivals.length === 51);

  gateway.process.child.kill('SIGTERM');
  await notReady(gateway);
  assert.equal((await ask(gateway.admin, request({ line: 'GET /healthz' }))).status, 200);
  await idle.closed;
  const late = new RawClient(gateway.client).send(infer);
  assert.equal(await late.closed, 'ECONNREFUSED');
  for (const { socket } of backend.arrivals.slice(1)) socket.write('done');
  for (const client of running) {
    assert.equal((await client.answer()).body, 'halfdone');
    assert.equal(await client.closed, null);
  }
  assert.equal(await gateway.process.exited, 0);
});

test('in its grace time it is not ready but takes requests, and every answer is the last of its connection', async (context) => {
  const gateway = await startEdgeGateway(context, 'listen: { port: 0, grace: 1500ms, drain: 20s }');
  const { backend, client } = gateway;
  backend.script = () => {};
  const running = new RawClient(client).send(infer);
  await eventually('it runs', () => backend.arrivals.length === 1);
  backend.script = ({ socket }) => socket.write(okAnswer('done'));
  const idle = new RawClient(client).send(infer);
  assert.equal((await idle.answer()).header('connection'), 'keep-alive');
  gateway.process.child.kill('SIGTERM');
  await notReady(gateway);
  const rows: [status: number, bytes: string][] = [
    [200, infer],
    [503, request({ line: 'GET /v2/health/ready' })],
    [200, request({ line: 'GET /v2/health/live' })],
    [200, request({ line: 'HEAD /v2' })],
    [404, request({ line: 'GET /nothing' })],
    [404, infer.replace('models/m', 'models/n')],
    [405, request({ line: 'GET /v2/models/m/infer' })],
    [405, request({ line: 'TRACE /v2/models/m' })],
    [421, infer.replace('localhost', 'evil.example')],
    [400, infer.replace('localhost', 'local host')],
  ];
  const seen = rows.map(async ([status, bytes]) => {
    const to = new RawClient(client).send(bytes);
    const answer = await to.answer(bytes.split(' ')[0]);
    assert.deepEqual([answer.status, answer.header('connection'), await to.closed], [status, 'close', null], bytes);
  });
  await Promise.all(seen);
  assert.equal((await idle.send(infer).answer()).header('connection'), 'close');
  backend.arrivals[0]?.socket.write(okAnswer('late'));
  const late = await running.answer();
  assert.deepEqual([late.body, late.header('connection')], ['late', 'close']);
  assert.equal(await gateway.process.exited, 0);
});

test('in its grace time, too, who is answered before the whole request has come gets that answer and no reset', async (context) => {
  const gateway = await startEdgeGateway(context, 'listen: { port: 0, grace: 1s }');
  gateway.process.child.kill('SIGTERM');
  await notReady(gateway);
  const early = new RawClient(gateway.client);
  // Sees nothing of the answer until it has sent everything.
  early.socket.pause();
  early.send(request({ host: 'evil.example', headers: ['content-length: 30000'] }));
  for (let n = 0; n < 3; n++) {
    await pause(30);
    early.send('b'.repeat(10_000));
  }
  early.socket.resume();
  const { status, header } = await early.answer();
  assert.deepEqual([status, header('connection')], [421, 'close']);
  assert.equal(await early.closed, null);
});

test('what comes behind an answer that is the last of its connection reaches no backend', async (context) => {
  const gateway = await startEdgeGateway(context, 'listen: { port: 0, grace: 0s, drain: 20s }');
  const { backend } = gateway;
  backend.script = () => {};
  const unanswered = new RawClient(gateway.client).send(infer);
  await eventually('it runs', () => backend.arrivals.length === 1);
  backend.script = ({ socket }) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf');
  const begun = new RawClient(gateway.client).send(infer);
  await eventually('its answer has begun', () => begun.held.includes('half'));
  backend.script = ({ socket }) => socket.write(okAnswer('done'));
  gateway.process.child.kill('SIGTERM');
  await notReady(gateway);

  unanswered.send(infer.repeat(2));
  // The head of its answer said that the connection is kept: one more may come.
  begun.send(infer.repeat(3));
  await eventually('that one is served', () => backend.arrivals.length === 3);
  backend.arrivals[0]?.socket.write(okAnswer('late'));
  backend.arrivals[1]?.socket.write('done');
  const late = await unanswered.answer();
  assert.deepEqual([late.body, late.header('connection')], ['late', 'close']);
  assert.equal((await begun.answer()).body, 'halfdone');
  const next = await begun.answer();
  assert.deepEqual([next.body, next.header('connection')], ['done', 'close']);
  for (const client of [unanswered, begun]) assert.deepEqual([await client.closed, client.held.length], [null, 0]);
  assert.equal(await gateway.process.exited, 0);
  assert.equal(backend.arrivals.length, 3);
});

test('the grace time is part of the time to drain', async (context) => {
  const gateway = await startEdgeGateway(context, 'listen: { port: 0, grace: 1h, drain: 300ms }');
  assert.equal(await gateway.process.stop(), 0);
});

test('what still runs when the time to drain is over is told so, or broken off where its answer has begun', async (context) => {
  const gateway = await startEdgeGateway(context, 'listen: { port: 0, drain: 300ms, grace: 0s }');
  gateway.backend.script = () => {};
  const silent = new RawClient(gateway.client).send(infer);
  await eventually('it runs', () => gateway.backend.arrivals.length === 1);
  gateway.backend.script = ({ socket }) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf');
  const begun = new RawClient(gateway.client).send(infer);
  await eventually('its answer has begun', () => begun.held.includes('half'));
  assert.equal(await gateway.process.stop(), 0);
  const { status, body } = await silent.answer();
  assert.equal(status, 503);
  assert.match(body, /shuts down/);
  await begun.closed;
  assert.ok(begun.held.toString().endsWith('half'));
  for (const arrival of gateway.backend.arrivals)
    await eventually('the backend sees its end', () => arrival.closedAtMs !== null);
  const codes = () => gateway.process.log.filter(({ msg }) => msg === 'exchange').map(({ code }) => code);
  await eventually('both are in the log, as warnings', () => codes().length === 2);
  assert.deepEqual(codes(), ['shutting_down', 'shutting_down']);
});

test('a second signal ends it at once', async (context) => {
  const gateway = await startEdgeGateway(context);
  gateway.backend.script = ({ socket }) => setTimeout(() => socket.write(okAnswer('late')), 20_000).unref();
  new RawClient(gateway.client).send(infer);
  await eventually('it runs', () => gateway.backend.arrivals.length === 1);
  gateway.process.child.kill('SIGTERM');
  await notReady(gateway);
  assert.equal(await gateway.process.stop(), 1);
});

test('an interrupt that comes twice in a moment, as from a terminal through npm, drains without a grace time', async (context) => {
  const gateway = await startEdgeGateway(context, 'listen: { port: 0, grace: 1h, drain: 1h }');
  gateway.backend.script = ({ socket }) => setTimeout(() => socket.write(okAnswer('late')), 700).unref();
  const client = new RawClient(gateway.client).send(infer);
  await eventually('it runs', () => gateway.backend.arrivals.length === 1);
  gateway.process.child.kill('SIGINT');
  gateway.process.child.kill('SIGINT');
  assert.equal((await client.answer()).body, 'late');
  assert.equal(await gateway.process.exited, 0);
});

test('a log that nobody reads holds up neither requests nor the end', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-fifo-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const fifo = join(folder, 'log');
  execFileSync('mkfifo', [fifo]);
  const backend = await RawBackend.start(context, ({ socket }) => socket.write(okAnswer('done')));
  const file = join(folder, 'gateway.yaml');
  const replicas = `[{ id: a, url: "${backend.url}" }]`;
  const pool = `{ name: pool, protocol: open-inference, models: [m], replicas: ${replicas} }`;
  writeFileSync(file, `listen: { port: 0, grace: 0s }\nadmin: { port: 0 }\nbackends: [${pool}]\n`);
  // Opened for reading as well, so that the writer finds a reader; and never read.
  const unread = openSync(fifo, constants.O_RDWR);
  context.after(() => closeSync(unread));
  const child = new HeadgateProcess(context, ['serve', '--config', file], {
    environment: { TMPDIR: folder },
    stderr: unread,
  });
  const { client } = await watchGateway(child);
  // More than a pipe holds.
  for (let n = 0; n < 600; n++) assert.equal((await ask(client, infer)).status, 200);
  assert.equal(await child.stop(), 0);
});
