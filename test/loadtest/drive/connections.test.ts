import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../../gateway/kernel/system-clock.ts';
import { Connection } from '../../../loadtest/drive/connection.ts';
import { Connections } from '../../../loadtest/drive/connections.ts';
import type { Failure, Sending } from '../../../loadtest/drive/sender.ts';
import { freePort } from '../../support/load-tests.ts';
import { type Arrival, okAnswer, RawBackend } from '../../support/raw-backend.ts';

const request = Buffer.from('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi');

/** One request over real sockets: what was told of it, and how it ended. */
function send(connections: Connections): { told: string[]; sending: Sending; ended: Promise<'ended' | Failure> } {
  const told: string[] = [];
  const { promise, resolve } = Promise.withResolvers<'ended' | Failure>();
  const sending = connections.send(request, {
    sent: () => void told.push('sent'),
    head: ({ status }) => void told.push(`${status}`),
    body: (bytes, from, until) => void told.push(bytes.toString('latin1', from, until)),
    end: () => resolve('ended'),
    failed: resolve,
  });
  return { told, sending, ended: promise };
}

function connectionsTo(t: TestContext, port: number, most: number | null = null): Connections {
  const connections = new Connections({
    open: (owner) => new Connection({ address: '127.0.0.1', port, tlsName: null }, owner),
    clock: systemClock,
    most,
  });
  t.after(() => connections.close());
  return connections;
}

const answers = ({ socket }: Arrival): void => void socket.write(okAnswer('hello'));

test('requests one after the other go over one connection', async (t) => {
  const backend = await RawBackend.start(t, answers);
  const connections = connectionsTo(t, backend.port);
  for (let at = 0; at < 3; at++) {
    const { told, ended } = send(connections);
    assert.equal(await ended, 'ended');
    assert.deepEqual(told, ['sent', '200', 'hello']);
  }
  assert.equal(backend.connections, 1);
});

test('requests at one time go over a connection each, and what has to wait for one is told so by when it is sent', async (t) => {
  const held: Arrival[] = [];
  const backend = await RawBackend.start(t, (arrival) => void held.push(arrival));
  const connections = connectionsTo(t, backend.port, 2);
  const [first, second, third] = [send(connections), send(connections), send(connections)];
  assert.deepEqual([first.told, second.told, third.told], [['sent'], ['sent'], []]);
  while (held.length < 2) await systemClock.sleep(1);
  backend.script = answers;
  for (const arrival of held) answers(arrival);
  assert.deepEqual(await Promise.all([first.ended, second.ended, third.ended]), ['ended', 'ended', 'ended']);
  assert.equal(backend.connections, 2);
});

test('a connection that closes after its answer carries no other, and one that was told to close neither', async (t) => {
  const backend = await RawBackend.start(t, ({ socket }) => void socket.write(okAnswer('x', 'connection: close')));
  const connections = connectionsTo(t, backend.port);
  assert.equal(await send(connections).ended, 'ended');
  backend.script = ({ socket }) => void socket.end(okAnswer('x'));
  assert.equal(await send(connections).ended, 'ended');
  while (backend.open > 0) await systemClock.sleep(1);
  backend.script = answers;
  assert.equal(await send(connections).ended, 'ended');
  assert.equal(backend.connections, 3);
});

const breaks: Readonly<Record<string, (arrival: Arrival) => void>> = {
  'is reset': ({ socket }) => void socket.resetAndDestroy(),
  'ends without an answer': ({ socket }) => void socket.end(),
  'ends within an answer': ({ socket }) => void socket.end(okAnswer('hello').slice(0, -2)),
  'talks nonsense': ({ socket }) => void socket.write('nonsense\r\n\r\n'),
};
for (const [how, script] of Object.entries(breaks))
  test(`a connection that ${how} breaks its request, and the next goes over another`, async (t) => {
    const backend = await RawBackend.start(t, script);
    const connections = connectionsTo(t, backend.port);
    assert.equal(await send(connections).ended, 'broken');
    backend.script = answers;
    assert.equal(await send(connections).ended, 'ended');
    assert.equal(backend.connections, 2);
  });

test('where nobody listens, a request is unreachable', async (t) => {
  const { ended, sending } = send(connectionsTo(t, await freePort()));
  assert.equal(await ended, 'unreachable');
  assert.equal(sending.isConnected, false);
});

test('a client that leaves closes its connection, and makes room for one that waits', async (t) => {
  const backend = await RawBackend.start(t, () => {});
  const connections = connectionsTo(t, backend.port, 1);
  const [leaving, waiting] = [send(connections), send(connections)];
  while (backend.arrivals.length === 0) await systemClock.sleep(1);
  backend.script = answers;
  leaving.sending.leave();
  assert.equal(await waiting.ended, 'ended');
  assert.deepEqual(leaving.told, ['sent']);
  assert.notEqual(backend.arrivals[0]?.closedAtMs, null);
});

test('one that leaves while it waits for a connection is never sent', async (t) => {
  const held: Arrival[] = [];
  const backend = await RawBackend.start(t, (arrival) => void held.push(arrival));
  const connections = connectionsTo(t, backend.port, 1);
  const [first, leaving, last] = [send(connections), send(connections), send(connections)];
  leaving.sending.leave();
  while (held.length === 0) await systemClock.sleep(1);
  backend.script = answers;
  for (const arrival of held) answers(arrival);
  assert.deepEqual(await Promise.all([first.ended, last.ended]), ['ended', 'ended']);
  assert.deepEqual([leaving.told, backend.arrivals.length], [[], 2]);
});
