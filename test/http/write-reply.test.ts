import assert from 'node:assert/strict';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { writeReply } from '../../gateway/http/write-reply.ts';
import { GatewayError } from '../../gateway/kernel/errors.ts';
import { TimerWheel } from '../../gateway/kernel/timer-wheel.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { jsonReply } from '../../gateway/pipeline/reply.ts';
import { eventOf } from '../../gateway/protocols/events.ts';
import { FedBody } from '../support/bodies.ts';
import { RawClient } from '../support/raw-client.ts';

const broken = new GatewayError('upstream_broken', 'broke off');
const lastEvent = String(eventOf({ error: 'broke off' }));
const stream = ['content-type', 'text/event-stream'];

interface Options {
  readonly headers?: string[];
  readonly sizeBytes?: number | null;
  /** Whether the protocol has no last event. */
  readonly hasNone?: boolean;
  readonly version?: string;
  /** Whether it is sent behind another request, whose answer is the test's to end. */
  readonly isSecond?: boolean;
}

/** One answer on its way over a real socket, fed by the test; time is virtual. */
class Writing {
  readonly clock = new VirtualClock();
  readonly wheel = new TimerWheel(this.clock);
  readonly body: FedBody;
  readonly client: RawClient;
  /** What the last event, or the answer instead, was asked to tell. */
  readonly told: (GatewayError | undefined)[] = [];
  /** Why the work for it was ended. */
  readonly givenUp: GatewayError[] = [];
  /** The answer before this one on the connection, where there is one. */
  earlier: ServerResponse | null = null;

  /** Resolves when the body is pumped. */
  static async start(context: TestContext, options: Options = {}): Promise<Writing> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const writing = new Writing(server, options);
    context.after(() => {
      writing.client.leave();
      server.closeAllConnections();
      server.close();
    });
    await new Promise<void>((resolve) => {
      server.on('request', (incoming, outgoing) => {
        if (options.isSecond === true && writing.earlier === null) {
          writing.earlier = outgoing;
          return;
        }
        const reply = {
          status: 200,
          headers: options.headers ?? [...stream],
          source: 'upstream',
          body: writing.body,
        } as const;
        writeReply(
          reply,
          { incoming, outgoing },
          {
            time: writing,
            timing: () => 'total;dur=1',
            insteadOfNothing: (why) => {
              writing.told.push(why);
              return jsonReply(502, { error: 'instead' }, 'refused');
            },
            lastEvent: (why) => {
              writing.told.push(why);
              return options.hasNone ? null : Buffer.from(lastEvent);
            },
            giveUp: (why) => {
              writing.givenUp.push(why);
              writing.body.end('abandoned', why);
            },
          },
        );
        resolve();
      });
    });
    return writing;
  }

  private constructor(server: Server, { sizeBytes = null, version = '1.1', isSecond = false }: Options) {
    this.body = new FedBody(sizeBytes);
    const { port } = server.address() as AddressInfo;
    this.client = new RawClient({ host: '127.0.0.1', port });
    const request = `GET / HTTP/${version}\r\nhost: x\r\n${isSecond ? 'connection: keep-alive\r\n' : ''}\r\n`;
    this.client.send(isSecond ? request.repeat(2) : request);
  }

  /** Feeds until its client has to take something first. */
  async fill(): Promise<void> {
    const piece = `data: ${'x'.repeat(1_000_000)}\n\n`;
    for (let n = 0; n < 40 && !this.body.isPaused; n++) {
      this.body.feed(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(this.body.isPaused);
  }

  /** All that came behind the head, when the connection has gone, the chunks put together; and how it went. */
  async received(): Promise<{ body: string; error: string | null; hasLastChunk: boolean }> {
    const error = await this.client.closed;
    const text = this.client.held.toString('latin1');
    const rest = text.slice(text.indexOf('\r\n\r\n') + 4);
    if (!/transfer-encoding: chunked/i.test(text)) return { body: rest, error, hasLastChunk: false };
    const parts = [...rest.matchAll(/([\da-f]+)\r\n([\s\S]*?)\r\n(?=[\da-f]+\r\n|$)/gy)];
    const body = parts.map(([, size = '', bytes = '']) => {
      assert.equal(bytes.length, Number.parseInt(size, 16));
      return bytes;
    });
    return { body: body.join(''), error, hasLastChunk: parts.at(-1)?.[1] === '0' };
  }
}

describe('a stream of events that breaks off', () => {
  const cases = [
    ['behind an event', ['data: a\n\n'], ''],
    ['behind an event that ends in CRLF', ['data: a\r\n\r', '\n'], ''],
    ['behind an event that ends in CR', ['data: a\r', '\r'], ''],
    ['in the middle of an event', ['data: a\n\n', 'data: {"b'], '\n\n'],
    ['behind the line of an event', ['data: a\n'], '\n\n'],
    ['between CR and LF', ['data: a\r\n\r\ndata: b\r'], '\n\n'],
  ] as const;
  for (const [where, pieces, between] of cases) {
    it(`${where} ends in one more that says why, and in no clean end`, async (context) => {
      const writing = await Writing.start(context);
      for (const piece of pieces) writing.body.feed(piece);
      writing.body.end('broken', broken);
      const { body, error, hasLastChunk } = await writing.received();
      assert.equal(body, pieces.join('') + between + lastEvent);
      assert.deepEqual([error, hasLastChunk, writing.told], [null, false, [broken]]);
    });
  }

  it('ends in the same way when it was given up with a client still there', async (context) => {
    const writing = await Writing.start(context);
    writing.body.feed('data: a\n\n');
    writing.body.end('abandoned');
    const { body, hasLastChunk } = await writing.received();
    assert.deepEqual([body, hasLastChunk], [`data: a\n\n${lastEvent}`, false]);
  });

  it('before its first byte is no answer yet: another is given in its place', async (context) => {
    const writing = await Writing.start(context);
    writing.body.end('broken', broken);
    const { status, body } = await writing.client.answer();
    assert.deepEqual([status, body, writing.told], [502, '{"error":"instead"}', [broken]]);
  });

  it('over HTTP/1.0 is reset, for there a closed connection is a good end', async (context) => {
    const writing = await Writing.start(context, { version: '1.0' });
    writing.body.feed('data: a\n\n');
    while (!writing.client.held.includes('data: a')) await writing.client.more();
    writing.body.end('broken', broken);
    const { body, error } = await writing.received();
    assert.deepEqual([body, error, writing.told], ['data: a\n\n', 'ECONNRESET', []]);
  });

  it('just breaks where no event can be told', async (context) => {
    const others: Readonly<Record<string, Options>> = {
      'its length is fixed': { headers: [...stream, 'content-length', '100'], sizeBytes: 100 },
      'it is encoded': { headers: [...stream, 'content-encoding', 'gzip'] },
      'it is no stream of events': { headers: ['content-type', 'application/json'] },
      'its protocol has none': { hasNone: true },
    };
    for (const [why, options] of Object.entries(others)) {
      const writing = await Writing.start(context, options);
      writing.body.feed('data: a\n\n');
      while (!writing.client.held.includes('data: a')) await writing.client.more();
      writing.body.end('broken', broken);
      const { body, hasLastChunk } = await writing.received();
      assert.deepEqual([body, hasLastChunk], ['data: a\n\n', false], why);
    }
  });

  it('to a client that has stopped reading is cut in the end', async (context) => {
    const writing = await Writing.start(context);
    const { body, client, clock, wheel } = writing;
    client.socket.pause();
    await writing.fill();
    body.end('broken', broken);
    assert.equal(wheel.armedCount, 1);
    await clock.runUntil(clock.nowMs() + 4_000);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(wheel.armedCount, 1, 'it is given a while');
    await clock.runUntil(clock.nowMs() + 2_000);
    while (wheel.armedCount > 0) await new Promise((resolve) => setImmediate(resolve));
    client.socket.resume();
    const { body: received } = await writing.received();
    assert.ok(!received.endsWith(lastEvent));
  });

  it('behind an answer that is still under way waits for that one to go out whole', async (context) => {
    const writing = await Writing.start(context, { isSecond: true });
    const { body, client, clock, earlier, wheel } = writing;
    body.feed('data: a\n\n');
    body.end('broken', broken);
    await clock.runUntil(clock.nowMs() + 60_000);
    earlier?.end('whole');
    assert.equal((await client.answer()).body, 'whole');
    const { body: received, hasLastChunk } = await writing.received();
    assert.deepEqual([received, hasLastChunk], [`data: a\n\n${lastEvent}`, false]);
    while (wheel.armedCount > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it('leaves no alarm behind', async (context) => {
    const writing = await Writing.start(context);
    writing.body.feed('data: a\n\n');
    writing.body.end('broken', broken);
    await writing.received();
    while (writing.wheel.armedCount > 0) await new Promise((resolve) => setImmediate(resolve));
  });
});

describe('an answer that its client does not take', () => {
  it('is given up after a minute, and its connection closed', async (context) => {
    const writing = await Writing.start(context);
    const { client, clock, givenUp } = writing;
    client.socket.pause();
    await writing.fill();
    await clock.runUntil(clock.nowMs() + 59_000);
    assert.deepEqual(givenUp, []);
    await clock.runUntil(clock.nowMs() + 2_000);
    assert.deepEqual(
      givenUp.map(({ code, message }) => [code, message]),
      [['client_left', 'the client took nothing for 60 s']],
    );
    client.socket.resume();
    await client.closed;
    assert.deepEqual([writing.wheel.armedCount, writing.told], [0, []]);
  });

  it('goes on when the client takes it after all', async (context) => {
    const writing = await Writing.start(context);
    const { body, client, clock } = writing;
    for (let round = 0; round < 3; round++) {
      client.socket.pause();
      await writing.fill();
      await clock.runUntil(clock.nowMs() + 59_000);
      client.socket.resume();
      while (body.isPaused) await new Promise((resolve) => setImmediate(resolve));
      assert.equal(writing.wheel.armedCount, 0);
      client.held = Buffer.alloc(0);
    }
    assert.deepEqual(writing.givenUp, []);
  });

  it('is not given up while an earlier one is under way before it', async (context) => {
    const writing = await Writing.start(context, { isSecond: true });
    const { body, client, clock, givenUp } = writing;
    await writing.fill();
    await clock.runUntil(clock.nowMs() + 300_000);
    assert.deepEqual(givenUp, []);
    writing.earlier?.end('whole');
    assert.equal((await client.answer()).body, 'whole');
    while (body.isPaused) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(writing.wheel.armedCount, 0);
  });
});

it('an answer that just breaks behind one that is still under way lets that one go out whole', async (context) => {
  const others: Readonly<Record<string, Options>> = {
    'it is no stream of events': { headers: ['content-type', 'application/json'] },
    'over HTTP/1.0': { version: '1.0' },
  };
  for (const [why, options] of Object.entries(others)) {
    const writing = await Writing.start(context, { ...options, isSecond: true });
    const { body, client, earlier } = writing;
    body.feed('data: a\n\n');
    body.end('broken', broken);
    await new Promise((resolve) => setImmediate(resolve));
    earlier?.setHeader('content-length', 5).end('whole');
    assert.equal((await client.answer()).body, 'whole', why);
    assert.deepEqual([await client.closed, client.held.length], [null, 0], why);
  }
});

it('a stream of events that ends well has its clean end, and no event more', async (context) => {
  const writing = await Writing.start(context);
  writing.body.feed('data: [DO');
  writing.body.end('complete');
  const { status, body } = await writing.client.answer();
  assert.deepEqual([status, body, writing.told], [200, 'data: [DO', []]);
});
