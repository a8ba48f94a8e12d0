import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { type TestContext, test } from 'node:test';
import { ClientConnections } from '../../gateway/http/client-connections.ts';
import { listen, portOf } from '../../gateway/http/server.ts';
import type { Clock } from '../../gateway/kernel/clock.ts';
import { systemClock } from '../../gateway/kernel/system-clock.ts';
import { eventually, pause } from '../support/gateway-process.ts';
import { RawClient, request } from '../support/raw-client.ts';

const get = request({ line: 'GET /' });

interface Port {
  readonly to: string;
  readonly connections: ClientConnections;
  isListening(): boolean;
}

async function open(context: TestContext, listener: RequestListener, clock: Clock = systemClock): Promise<Port> {
  const server = await listen({ host: '127.0.0.1', port: 0, listener });
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const connections = new ClientConnections(server, clock);
  return { to: `http://127.0.0.1:${portOf(server)}`, connections, isListening: () => server.listening };
}

const done: RequestListener = (incoming, outgoing) => incoming.resume().on('end', () => outgoing.end('done'));

test('connections that still wait to be accepted when a port closes are answered, not reset', async (context) => {
  const { to, connections } = await open(context, done);
  const crowd = Array.from({ length: 200 }, () => new RawClient(to).send(get));
  const closed = connections.close({ graceMs: 0, drainMs: 10_000 });
  for (const client of crowd) {
    const answer = await client.answer();
    assert.deepEqual([answer.body, answer.header('connection')], ['done', 'close']);
    assert.equal(await client.closed, null);
  }
  await closed;
});

test('a request that comes on an idle or a new connection after the port has closed is answered', async (context) => {
  const { to, connections, isListening } = await open(context, done);
  const idle = new RawClient(to).send(get);
  assert.equal((await idle.answer()).header('connection'), 'keep-alive');
  const fresh = new RawClient(to);
  await once(fresh.socket, 'connect');
  const closed = connections.close({ graceMs: 0, drainMs: 10_000 });
  await eventually('the port is closed', () => !isListening());
  assert.equal(await new RawClient(to).closed, 'ECONNREFUSED');
  for (const client of [idle, fresh]) {
    const { status, header } = await client.send(get).answer();
    assert.deepEqual([status, header('connection')], [200, 'close']);
    assert.equal(await client.closed, null);
  }
  await closed;
});

test('connections on which nothing comes are closed after a while, whatever else runs', async (context) => {
  let finish: () => void = () => {};
  const { to, connections } = await open(context, (incoming, outgoing) => {
    if (incoming.url === '/idle') outgoing.end();
    else finish = () => outgoing.end('late');
  });
  const idle = new RawClient(to).send(request({ line: 'GET /idle' }));
  await idle.answer();
  const fresh = new RawClient(to);
  await once(fresh.socket, 'connect');
  const running = new RawClient(to).send(get);
  const startedAtMs = performance.now();
  const closed = connections.close({ graceMs: 0, drainMs: 30_000 });
  for (const client of [idle, fresh]) assert.equal(await client.closed, null);
  assert.ok(performance.now() - startedAtMs >= 1000, 'a request may have been on its way');
  finish();
  assert.equal((await running.answer()).body, 'late');
  await closed;
});

test('an answer that its client reads slowly is not cut off', async (context) => {
  const body = Buffer.alloc(8 * 1024 * 1024, 'x');
  const { to, connections } = await open(context, (_incoming, outgoing) => outgoing.end(body));
  const slow = new RawClient(to);
  slow.socket.pause();
  slow.send(get);
  await pause(100);
  const closed = connections.close({ graceMs: 0, drainMs: 30_000 });
  await pause(1500);
  slow.socket.resume();
  assert.equal((await slow.answer()).body.length, body.length);
  assert.equal(await slow.closed, null);
  await closed;
});

test('time is waited for only where it is needed', async (context) => {
  let sleptMs = 0;
  const clock: Clock = {
    ...systemClock,
    async sleep(delayMs) {
      sleptMs += delayMs;
      await systemClock.sleep(delayMs);
    },
  };
  const empty = await open(context, done, clock);
  await empty.connections.close({ graceMs: 0, drainMs: 30_000 });
  assert.equal(sleptMs, 0, 'nobody is connected');
  const waiting = await open(context, () => {}, clock);
  const client = new RawClient(waiting.to).send(get);
  await once(client.socket, 'connect');
  await waiting.connections.close({ graceMs: 30_000, drainMs: 200 });
  assert.ok(sleptMs < 400, `the grace time is cut to the time to drain: ${sleptMs} ms`);
  client.leave();
});
