import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { EventStreams } from '../../gateway/http/event-streams.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { RawClient } from '../support/raw-client.ts';

type Reader = Parameters<ConstructorParameters<typeof EventStreams>[0]['follow']>[1];

/** Streams of events on a real socket; time is virtual. */
class Watching {
  readonly clock = new VirtualClock();
  readonly readers = new Set<Reader>();
  readonly lastIds: (string | null)[] = [];
  /** What whoever begins to follow has missed. */
  readonly missed: Parameters<Reader>[0][] = [];
  readonly streams: EventStreams;
  readonly #port: number;
  readonly #context: TestContext;

  static async start(context: TestContext): Promise<Watching> {
    const server = createServer((incoming, outgoing) => watching.streams.open({ incoming, outgoing }));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const watching = new Watching((server.address() as AddressInfo).port, context);
    context.after(() => {
      watching.streams.close();
      server.closeAllConnections();
      server.close();
    });
    return watching;
  }

  private constructor(port: number, context: TestContext) {
    this.#port = port;
    this.#context = context;
    this.streams = new EventStreams({
      follow: (lastId, reader) => {
        this.lastIds.push(lastId);
        for (const event of this.missed) reader(event);
        this.readers.add(reader);
        return () => this.readers.delete(reader);
      },
      clock: this.clock,
      headers: { 'cache-control': 'no-store' },
    });
  }

  /** A client whose request has been taken. */
  async client(headers = '', method = 'GET'): Promise<RawClient> {
    const client = new RawClient({ host: '127.0.0.1', port: this.#port });
    this.#context.after(() => client.leave());
    client.send(`${method} /api/events HTTP/1.1\r\nhost: localhost\r\n${headers}\r\n`);
    await client.untilFound(/\r\n\r\n/);
    return client;
  }

  tell(data: string): void {
    for (const reader of this.readers) reader({ id: 'p-1', kind: 'replica', data });
  }
}

describe('a stream of events', () => {
  it('is one of server-sent events, and carries what every answer of the port does', async (context) => {
    const watching = await Watching.start(context);
    const client = await watching.client();
    watching.tell('{"n":1}');
    const text = await client.untilFound(/\nid: p-1\nevent: replica\ndata: \{"n":1\}\n\n/);
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(text, /\r\ncontent-type: text\/event-stream\r\n/);
    assert.match(text, /\r\ncache-control: no-store\r\n/);
    assert.deepEqual(watching.lastIds, [null]);
  });

  it('goes on behind the last event that its client has had', async (context) => {
    const watching = await Watching.start(context);
    watching.missed.push({ id: 'p-6', kind: 'decision', data: '{}' });
    const client = await watching.client('last-event-id: p-5\r\n');
    await client.untilFound(/id: p-6\nevent: decision\n/);
    assert.deepEqual(watching.lastIds, ['p-5']);
  });

  it('has a comment every 15 s, and none when nobody is left', async (context) => {
    const watching = await Watching.start(context);
    const client = await watching.client();
    for (let n = 1; n <= 3; n++) {
      await watching.clock.runUntil(n * 15_000);
      await client.untilFound(new RegExp(`(: still here\\n\\n.*){${n}}`, 's'));
    }
    client.leave();
    while (watching.readers.size > 0) await new Promise((resolve) => setImmediate(resolve));
    await watching.clock.runUntil(1e6);
    assert.equal(watching.clock.pending, 0);
  });

  it('is ended where its client takes nothing, and others go on', async (context) => {
    const watching = await Watching.start(context);
    const [slow, quick] = [await watching.client(), await watching.client()];
    slow.socket.pause();
    assert.equal(watching.readers.size, 2);
    for (let n = 0; n < 1000 && watching.readers.size > 1; n++) {
      watching.tell('x'.repeat(65_536));
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(watching.readers.size, 1);
    watching.tell('still there');
    await quick.untilFound(/still there/);
  });

  it('ends when the port closes, and whoever comes later gets none', async (context) => {
    const watching = await Watching.start(context);
    const client = await watching.client();
    watching.streams.close();
    await client.untilFound(/\r\n0\r\n\r\n$/);
    assert.equal(watching.clock.pending, 0);
    const late = await watching.client();
    await late.untilFound(/\r\n0\r\n\r\n$/);
  });

  it('is not begun for HEAD', async (context) => {
    const watching = await Watching.start(context);
    const client = await watching.client('', 'HEAD');
    assert.match(String(client.held), /text\/event-stream/);
    assert.equal(watching.readers.size, 0);
  });
});
