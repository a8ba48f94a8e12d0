import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { TryTimeouts } from '../../gateway/balance/backend.ts';
import type { Address, Replica } from '../../gateway/balance/replica.ts';
import { Cancellation } from '../../gateway/kernel/cancellation.ts';
import type { GatewayError } from '../../gateway/kernel/errors.ts';
import { systemClock } from '../../gateway/kernel/system-clock.ts';
import { TimerWheel } from '../../gateway/kernel/timer-wheel.ts';
import type { HeaderList } from '../../gateway/pipeline/headers.ts';
import type { BodyEnd } from '../../gateway/pipeline/reply.ts';
import type { Reachable } from '../../gateway/upstream/transport.ts';
import { openPool, UndiciTransport } from '../../gateway/upstream/undici-transport.ts';
import { answer, lineOf, okAnswer, RawBackend } from '../support/raw-backend.ts';
import { newReplica } from '../support/replicas.ts';

const timeouts: TryTimeouts = { connectMs: 10_000, firstByteMs: 10_000, idleMs: 10_000, totalMs: 10_000 };
const certificates = join(import.meta.dirname, '..', 'support', 'certificates');
const pem = (name: string): string => readFileSync(join(certificates, `${name}.pem`), 'utf8');
const tls = { key: pem('replica-key'), cert: pem('replica') };

interface Got {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: string;
  readonly end: BodyEnd;
}

interface Sender {
  readonly replica: Replica;
  readonly transport: UndiciTransport;
  send(method?: string, body?: string): Promise<Got>;
}

/** Sends to an address over a transport of its own, which is closed with the test. */
function sender(
  context: TestContext,
  address: Partial<Address>,
  connect?: (to: Reachable, connectMs: number) => ReturnType<typeof openPool>,
): Sender {
  const wheel = new TimerWheel(systemClock);
  const transport = new UndiciTransport({ clock: systemClock, wheel, ...(connect === undefined ? {} : { connect }) });
  const replica = newReplica({ address });
  transport.hold(replica, 5_000);
  context.after(async () => {
    await transport.close();
    assert.equal(wheel.armedCount, 0, 'every call has disarmed its alarm');
    wheel.close();
  });
  return {
    replica,
    transport,
    async send(method = 'POST', body = '{}') {
      const {
        status,
        headers,
        body: stream,
      } = await transport.send(
        replica,
        {
          method,
          path: '/v2/models/m/infer',
          headers: ['x-a', 'b'],
          body: method === 'POST' ? Buffer.from(body) : null,
          sentAtMs: systemClock.nowMs(),
        },
        timeouts,
        new Cancellation(),
      );
      let text = '';
      const end = await new Promise<BodyEnd>((resolve) => {
        stream.pump({
          chunk(bytes) {
            text += Buffer.from(bytes).toString('latin1');
            return true;
          },
          onDrain: (call) => call(),
          end: resolve,
        });
      });
      // undici takes a connection back one turn after its answer.
      for (let turns = 0; turns < 2; turns++) await new Promise((resolve) => setImmediate(resolve));
      return { status, headers, body: text, end };
    },
  };
}

const rejectsWith = (code: string) => (thrown: GatewayError) => {
  assert.equal(thrown.code, code, String(thrown.cause));
  assert.ok(thrown.cause instanceof Error);
  return true;
};

test('the path of a replica’s url stands before every path', async (context) => {
  const backend = await RawBackend.start(context, ({ socket }) => socket.write(okAnswer('done')));
  const { send } = sender(context, { origin: backend.url, basePath: '/triton/a' });
  assert.equal((await send()).body, 'done');
  assert.equal(backend.arrivals[0]?.line, 'POST /triton/a/v2/models/m/infer HTTP/1.1');
  assert.equal(lineOf(backend.arrivals[0]?.headers ?? [], 'host'), `127.0.0.1:${backend.port}`);
  assert.equal(lineOf(backend.arrivals[0]?.headers ?? [], 'content-length'), '2');
});

test('a replica behind a Unix socket is reached, one whose socket is not there is not', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-test-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const socketPath = join(folder, 'worker.sock');
  const { send } = sender(context, { origin: 'http://localhost', socketPath });
  await assert.rejects(send(), rejectsWith('upstream_unreachable'));
  await RawBackend.start(context, ({ socket }) => socket.write(okAnswer('done')), { listen: { path: socketPath } });
  assert.equal((await send()).body, 'done');
});

test('TLS is spoken with the authority and the server name that are configured, and with no other', async (context) => {
  const backend = await RawBackend.start(context, ({ socket }) => socket.write(okAnswer('done')), { tls });
  const origin = `https://127.0.0.1:${backend.port}`;
  const to = (caPem: string | null, serverName: string | null): Sender =>
    sender(context, { origin, tls: { caPem, serverName } });
  const trusted = to(pem('authority'), 'replica.internal');
  assert.equal((await trusted.send()).body, 'done');
  assert.equal((await trusted.send()).body, 'done');
  assert.equal(backend.connections, 1);
  await assert.rejects(to(null, 'replica.internal').send(), rejectsWith('upstream_unreachable'));
  await assert.rejects(to(pem('authority'), 'other.internal').send(), rejectsWith('upstream_unreachable'));
  await assert.rejects(to(pem('authority'), null).send(), rejectsWith('upstream_unreachable'));
  assert.equal(backend.arrivals.length, 2, 'nothing was sent to whom is not trusted');
});

test('a replica that refuses the connection is unreachable, one that resets it after the request has broken off', async (context) => {
  const backend = await RawBackend.start(context, ({ socket }) => socket.resetAndDestroy());
  const { send } = sender(context, { origin: backend.url });
  await assert.rejects(send(), rejectsWith('upstream_broken'));
  await assert.rejects(send('GET'), rejectsWith('upstream_broken'));
  backend.script = ({ socket }) => socket.end();
  await assert.rejects(send(), rejectsWith('upstream_broken'));
  assert.equal(backend.arrivals.length, 3, 'each was sent once');
  backend.close();
  await assert.rejects(send(), rejectsWith('upstream_unreachable'));
});

const notAnswers: Readonly<Record<string, string>> = {
  garbage: 'SSH-2.0-OpenSSH_9.6\r\n\r\n',
  'another version': 'HTTP/3.7 200 OK\r\ncontent-length: 0\r\n\r\n',
  'no status': 'HTTP/1.1\r\ncontent-length: 0\r\n\r\n',
  'a length and chunks':
    'HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  'chunks and a length':
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  'two lengths': 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd',
  'a signed length': 'HTTP/1.1 200 OK\r\ncontent-length: +3\r\n\r\nabc',
  'a folded header': 'HTTP/1.1 200 OK\r\nx-a: b\r\n c: d\r\ncontent-length: 0\r\n\r\n',
  'a space before the colon': 'HTTP/1.1 200 OK\r\ncontent-length : 0\r\n\r\n',
  'a zero byte in a header': 'HTTP/1.1 200 OK\r\nx-a: b\0c\r\ncontent-length: 0\r\n\r\n',
  'a protocol nobody asked for': 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
  'a head without end': `HTTP/1.1 200 OK\r\nx-a: ${'a'.repeat(20_000)}`,
};
for (const [claim, bytes] of Object.entries(notAnswers)) {
  test(`${claim} is no answer, and its connection serves nobody else`, async (context) => {
    const backend = await RawBackend.start(context, ({ socket }) => socket.write(bytes));
    const { send } = sender(context, { origin: backend.url });
    await assert.rejects(send(), rejectsWith('upstream_broken'));
    backend.script = ({ socket }) => socket.write(okAnswer('clean'));
    assert.equal((await send()).body, 'clean');
    assert.deepEqual(
      backend.arrivals.map((one) => one.connection),
      [0, 1],
    );
  });
}

test('bytes behind an answer are never taken for the next one', async (context) => {
  const backend = await RawBackend.start(context, ({ socket }) =>
    socket.write(okAnswer('first') + okAnswer('smuggled')),
  );
  const { send } = sender(context, { origin: backend.url });
  assert.equal((await send()).body, 'first');
  backend.script = ({ socket }) => socket.write(okAnswer('second'));
  const { body } = await send();
  assert.equal(body, 'second');
  assert.deepEqual(
    backend.arrivals.map((one) => one.connection),
    [0, 1],
  );
});

const truncated: Readonly<Record<string, string>> = {
  'fewer bytes than the length says': 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc',
  'chunks without the last': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n',
  'a chunk cut short': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nabc',
  'chunks with something else among them': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n',
};
for (const [claim, bytes] of Object.entries(truncated)) {
  test(`${claim}: what came is passed on, and the body is broken`, async (context) => {
    const backend = await RawBackend.start(context, ({ socket }) => socket.end(bytes));
    const { status, body, end } = await sender(context, { origin: backend.url }).send();
    assert.deepEqual({ status, body, end }, { status: 200, body: 'abc', end: 'broken' });
  });
}

test('a body that lasts until the connection ends is whole', async (context) => {
  const backend = await RawBackend.start(context, ({ socket }) => socket.end('HTTP/1.1 200 OK\r\n\r\nabc'));
  const { body, end } = await sender(context, { origin: backend.url }).send();
  assert.deepEqual({ body, end }, { body: 'abc', end: 'complete' });
});

test('a body that would last until its connection ends is broken when that is reset', async (context) => {
  const backend = await RawBackend.start(context, ({ socket }) =>
    socket.write('HTTP/1.1 200 OK\r\n\r\nabc', () => socket.resetAndDestroy()),
  );
  const { body, end } = await sender(context, { origin: backend.url }).send();
  assert.deepEqual({ body, end }, { body: 'abc', end: 'broken' });
});

test('interim answers are passed over', async (context) => {
  const interim = 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n';
  const backend = await RawBackend.start(context, ({ socket }) => socket.write(interim + okAnswer('done')));
  const { send } = sender(context, { origin: backend.url });
  for (let n = 0; n < 3; n++) {
    const { status, body, headers } = await send();
    assert.deepEqual({ status, body }, { status: 200, body: 'done' });
    assert.ok(!headers.includes('link'));
  }
  assert.equal(backend.connections, 1);
});

test('answers without content end with their head, whatever length they declare', async (context) => {
  const backend = await RawBackend.start(context, ({ socket, line }) =>
    socket.write(
      line.startsWith('HEAD') ? 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n' : 'HTTP/1.1 204 No Content\r\n\r\n',
    ),
  );
  const { send } = sender(context, { origin: backend.url });
  for (const method of ['HEAD', 'POST', 'HEAD', 'GET']) {
    const { body, end } = await send(method);
    assert.deepEqual({ body, end }, { body: '', end: 'complete' });
  }
});

test('what an answer says of its own hop is not passed on', async (context) => {
  const hop = [
    'connection: x-hop, keep-alive',
    'x-hop: 1',
    'keep-alive: timeout=5',
    'proxy-authenticate: Basic',
    'upgrade: h2c',
    'trailer: x-t',
    'te: trailers',
  ];
  const backend = await RawBackend.start(context, ({ socket }) =>
    socket.write(answer('200 OK', 'done', ...hop, 'set-cookie: a=1', 'set-cookie: b=2', 'x-kept: \u00e9')),
  );
  const { headers } = await sender(context, { origin: backend.url }).send();
  assert.deepEqual(headers, [
    'content-length',
    '4',
    'set-cookie',
    'a=1',
    'set-cookie',
    'b=2',
    'x-kept',
    Buffer.from('\u00e9').toString('latin1'),
  ]);
});

test('a connection serves one request after the other, and is left when the replica closes it', async (context) => {
  const backend = await RawBackend.start(context, ({ socket }) => socket.write(okAnswer('done')));
  const { send } = sender(context, { origin: backend.url });
  for (let n = 0; n < 10; n++) await send();
  assert.equal(backend.connections, 1);
  await Promise.all(Array.from({ length: 5 }, () => send()));
  assert.equal(backend.connections, 5, 'no request waits behind another on a connection');
  backend.script = ({ socket }) => socket.end(okAnswer('done', 'connection: close'));
  assert.equal((await send()).end, 'complete');
  for (const { socket } of backend.arrivals) socket.destroy();
  backend.script = ({ socket }) => socket.write(okAnswer('done'));
  assert.equal((await send()).body, 'done', 'idle connections that the replica closed are not used');
});

test('a replica that was forgotten is not sent to, and no connection is opened for it', async (context) => {
  const backend = await RawBackend.start(context, ({ socket }) => socket.write(okAnswer('done')));
  const { replica, transport, send } = sender(context, { origin: backend.url });
  assert.equal((await send()).body, 'done');
  await transport.forget(replica);
  await assert.rejects(send(), { message: 'pool/a is sent to and nobody holds it' });
  assert.equal(backend.connections, 1);
});

test('a host name is looked up again, so that a replica can move', async (context) => {
  const before = await RawBackend.start(context, ({ socket }) => socket.write(okAnswer('before')));
  const listen = { host: '127.0.0.2', port: before.port };
  const after = await RawBackend.start(context, ({ socket }) => socket.write(okAnswer('after')), { listen });
  let address = '127.0.0.1';
  let lookups = 0;
  const lookup: LookupFunction = (_host, options, done) => {
    lookups += 1;
    if (options.all === true) done(null, [{ address, family: 4 }]);
    else done(null, address, 4);
  };
  const { send } = sender(context, { origin: `http://replica.internal:${before.port}` }, (replica, connectMs) =>
    openPool(replica, connectMs, { lookup, connectionLifeMs: 20 }),
  );
  assert.equal((await send()).body, 'before');
  address = '127.0.0.2';
  let bodies = 1;
  while ((await send()).body === 'before') bodies += 1;
  assert.ok(bodies < 10_000 && lookups >= 2);
  assert.equal(after.arrivals.length, 1);
});
