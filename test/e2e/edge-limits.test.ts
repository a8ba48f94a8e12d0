import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { listen, portOf } from '../../gateway/http/server.ts';
import { startEdgeGateway } from '../support/edge-gateway.ts';
import { eventually, HeadgateProcess, pause, watchGateway } from '../support/gateway-process.ts';
import { ask, RawClient, request } from '../support/raw-client.ts';

async function listenShortly(context: TestContext): Promise<string> {
  const timeLimits = {
    headersTimeout: 400,
    requestTimeout: 800,
    keepAliveTimeout: 300,
    connectionsCheckingInterval: 100,
  };
  const server = await listen({
    host: '127.0.0.1',
    port: 0,
    timeLimits,
    listener: (incoming, outgoing) => incoming.resume().on('end', () => outgoing.end('done')),
  });
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${portOf(server)}`;
}

test('clients that drip their heads are shown out, while others are served', async (context) => {
  const to = await listenShortly(context);
  const startedAtMs = performance.now();
  const slow = Array.from({ length: 200 }, () => new RawClient(to).send('POST / HTTP/1.1\r\nhost: localhost\r\n'));
  const drip = setInterval(() => {
    for (const client of slow) client.send('x-drip: x\r\n');
  }, 50);
  context.after(() => clearInterval(drip));
  assert.equal((await ask(to, request({ line: 'GET /' }))).status, 200);
  for (const client of slow) {
    await client.closed;
    assert.match(client.held.toString(), /^HTTP\/1\.1 408 /);
  }
  const tookMs = performance.now() - startedAtMs;
  assert.ok(tookMs >= 400 && tookMs < 2000, `${tookMs} ms`);
});

test('clients that drip their bodies, or say nothing at all, are shown out too', async (context) => {
  const to = await listenShortly(context);
  const dripping = new RawClient(to).send(request({ line: 'POST /', headers: ['content-length: 1000'] }));
  const silent = new RawClient(to);
  const idle = new RawClient(to).send(request({ line: 'GET /' }));
  const drip = setInterval(() => dripping.send('x'), 50);
  context.after(() => clearInterval(drip));
  assert.equal((await idle.answer()).status, 200);
  await Promise.all([dripping.closed, silent.closed, idle.closed]);
  assert.match(dripping.held.toString(), /^HTTP\/1\.1 408 /);
});

test('the limits in force are checked every second', async (context) => {
  const server = await listen({ host: '127.0.0.1', port: 0, listener: (_incoming, outgoing) => outgoing.end() });
  context.after(() => {
    server.close();
  });
  const { headersTimeout, requestTimeout, keepAliveTimeout, timeout } = server;
  assert.deepEqual(
    { headersTimeout, requestTimeout, keepAliveTimeout, timeout },
    { headersTimeout: 10_000, requestTimeout: 300_000, keepAliveTimeout: 65_000, timeout: 0 },
  );
});

for (const which of ['listen', 'admin'] as const) {
  test(`a port of ${which} that is in use is said in one line, exit 1, and nothing is left running or lying about`, async (context) => {
    const other = createServer().listen(0, '127.0.0.1');
    context.after(() => {
      other.close();
    });
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const folder = mkdtempSync(join(tmpdir(), 'headgate-test-'));
    context.after(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'gateway.yaml');
    const worker =
      '{ name: digits, protocol: open-inference, models: [digits], replicas: [{ worker: { models: [digits] } }] }';
    const ports = { listen: 0, admin: 0, [which]: port };
    writeFileSync(file, `listen: { port: ${ports.listen} }\nadmin: { port: ${ports.admin} }\nbackends: [${worker}]\n`);
    const headgate = new HeadgateProcess(context, ['serve', '--config', file], { environment: { TMPDIR: folder } });
    assert.equal(await headgate.exited, 1);
    const said = headgate.stderr.trim().split('\n');
    assert.equal(said.length, 1, headgate.stderr);
    assert.equal(said[0], `cannot listen on 127.0.0.1:${port}: another process listens there`);
    assert.equal(headgate.stdout, '');
    assert.deepEqual(readdirSync(folder), ['gateway.yaml'], 'its own folder is gone');
  });
}

for (const { which, own, others } of [
  { which: 'listen', own: false, others: true },
  { which: 'listen', own: true, others: false },
  { which: 'admin', own: true, others: true },
] as const) {
  const claim = `a port of ${which} is in use where reuse_port is ${others} for who has it and ${own} for who wants it`;
  test(claim, async (context) => {
    const first = await startEdgeGateway(context, `listen: { port: 0, grace: 0s, reuse_port: ${others} }`);
    const wanted = first[which === 'listen' ? 'client' : 'admin'];
    const ports = { listen: '0', admin: '0', [which]: new URL(wanted).port };
    const second = startEdgeGateway(
      context,
      `listen: { port: ${ports.listen}, reuse_port: ${own} }\nadmin: { port: ${ports.admin} }`,
    );
    await assert.rejects(second, /cannot listen on \S+: another process listens there/);
  });
}

test('a gateway without file descriptors left takes no harm: it serves again when there are some', async (context) => {
  const edge = await startEdgeGateway(context);
  const folder = mkdtempSync(join(tmpdir(), 'headgate-test-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'gateway.yaml');
  const pool = `{ name: pool, protocol: open-inference, models: [m], replicas: [{ url: "${edge.backend.url}" }] }`;
  writeFileSync(file, `listen: { port: 0 }\nadmin: { port: 0 }\nbackends: [${pool}]\ntelemetry: { log: warn }\n`);
  const tight = new HeadgateProcess(context, ['serve', '--config', file], { environment: { TMPDIR: folder } });
  const gateway = await watchGateway(tight);
  await limitFiles(tight.pid, 80);
  const crowd = Array.from({ length: 300 }, () => new RawClient(gateway.client));
  await pause(300);
  assert.equal(tight.child.exitCode, null, tight.stderr);
  for (const client of crowd) client.leave();
  const served = () =>
    ask(gateway.client, request({ body: '{}' })).then(
      ({ status }) => status === 200,
      () => false,
    );
  await eventually('it serves again', served);
});

/** Lowers the number of files that a running process may open. */
async function limitFiles(pid: number, count: number): Promise<void> {
  const [code] = await once(
    spawn('prlimit', ['--pid', String(pid), `--nofile=${count}:${count}`], { stdio: 'inherit' }),
    'exit',
  );
  assert.equal(code, 0);
}
