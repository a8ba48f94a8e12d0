import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startEdgeGateway } from '../support/edge-gateway.ts';
import { eventually, HeadgateProcess, watchGateway } from '../support/gateway-process.ts';
import { okAnswer, RawBackend } from '../support/raw-backend.ts';
import { ask, RawClient, request } from '../support/raw-client.ts';

const infer = request({ line: 'POST /v2/models/m/infer', body: '{}' });

test('a gateway told to end says so, takes no more, finishes what runs and exits 0', async (context) => {
  const gateway = await startEdgeGateway(context);
  const idle = new RawClient(gateway.client).send(infer);
  assert.equal((await idle.answer()).status, 200);
  const { backend } = gateway;
  backend.script = ({ socket }) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf');
  const running = Array.from({ length: 50 }, () => new RawClient(gateway.client).send(infer));
  await eventually('all run', () => backend.arrivals.length === 51);

  gateway.process.child.kill('SIGTERM');
  await eventually(
    'it is not ready',
    async () => (await ask(gateway.admin, request({ line: 'GET /readyz' }))).status === 503,
  );
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

test('what still runs when the time to drain is over is told so, or broken off where its answer has begun', async (context) => {
  const gateway = await startEdgeGateway(context, 'listen: { port: 0, drain: 300ms }');
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
  await eventually('the refused one is in the log, as a warning', () => codes().length === 1);
  assert.deepEqual(codes(), ['shutting_down']);
});

test('a second signal ends it at once', async (context) => {
  const gateway = await startEdgeGateway(context);
  gateway.backend.script = ({ socket }) => setTimeout(() => socket.write(okAnswer('late')), 20_000).unref();
  new RawClient(gateway.client).send(infer);
  await eventually('it runs', () => gateway.backend.arrivals.length === 1);
  gateway.process.child.kill('SIGTERM');
  await eventually(
    'it is not ready',
    async () => (await ask(gateway.admin, request({ line: 'GET /readyz' }))).status === 503,
  );
  assert.equal(await gateway.process.stop(), 1);
});

test('an interrupt that comes twice in a moment, as from a terminal through npm, drains', async (context) => {
  const gateway = await startEdgeGateway(context);
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
  writeFileSync(file, `listen: { port: 0 }\nadmin: { port: 0 }\nbackends: [${pool}]\n`);
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
