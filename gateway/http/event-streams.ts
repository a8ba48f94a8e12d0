import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '../kernel/clock.ts';
import type { Connection } from './connection.ts';

/** Something that operators are told of. */
interface TellableEvent {
  readonly id: string;
  readonly kind: string;
  /** One line. */
  readonly data: string;
}

interface Options {
  /** Calls with what was missed since `lastId`, then with all that happens, until what it gives is called. */
  follow(lastId: string | null, reader: (event: TellableEvent) => void): () => void;
  readonly clock: Clock;
  /** What every answer of the port carries. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Shorter than the minute after which most things on the way give up a silent connection. */
const heartbeatMs = 15_000;

/** Whoever has left so much untaken is dropped: it may come back and ask for what it has missed, which is less than this. */
const mostUntakenBytes = 2_097_152;

/** The operators who watch what happens, each over server-sent events (WHATWG HTML, section 9.2). */
export class EventStreams {
  readonly #options: Options;
  readonly #open = new Set<ServerResponse>();
  #heartbeat: Timer | null = null;
  #isClosed = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Answers a request with a stream that lasts until either side ends it. */
  open({ incoming, outgoing }: Connection): void {
    const { follow, headers } = this.#options;
    outgoing.writeHead(200, { ...headers, 'content-type': 'text/event-stream' });
    if (this.#isClosed || incoming.method === 'HEAD') {
      outgoing.end();
      return;
    }
    this.#open.add(outgoing);
    this.#beat();
    const lastId = incoming.headers['last-event-id'];
    outgoing.write(': watching\n\n');
    const leave = follow(typeof lastId === 'string' ? lastId : null, (event) => send(outgoing, event));
    outgoing.once('close', () => {
      leave();
      this.#open.delete(outgoing);
    });
  }

  /** Ends all streams. */
  close(): void {
    this.#isClosed = true;
    this.#heartbeat?.cancel();
    for (const outgoing of this.#open) outgoing.end();
  }

  #beat(): void {
    this.#heartbeat ??= this.#options.clock.after(heartbeatMs, () => {
      this.#heartbeat = null;
      for (const outgoing of this.#open) write(outgoing, ': still here\n\n');
      if (this.#open.size > 0) this.#beat();
    });
  }
}

function send(outgoing: ServerResponse, { id, kind, data }: TellableEvent): void {
  write(outgoing, `id: ${id}\nevent: ${kind}\ndata: ${data}\n\n`);
}

function write(outgoing: ServerResponse, text: string): void {
  if (outgoing.destroyed) return;
  if (outgoing.writableLength > mostUntakenBytes) outgoing.destroy();
  else outgoing.write(text);
}
