import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import type { Clock } from '../kernel/clock.ts';
import { afterQuietTurn } from '../kernel/system-clock.ts';

/** How often connections that have become idle are looked for. */
const sweepMs = 50;

/** Only what has been silent for so long is closed: a request may be on its way on any other. */
const idleMs = 1000;

/** How a port is closed; both times count from the beginning, and the first is cut to the second. */
export interface ClosingTimes {
  /** How long connections are still accepted. */
  readonly graceMs: number;
  /** How long answers are waited for. */
  readonly drainMs: number;
}

interface Known {
  /** To the last request that came, until all of it has reached the system; null while none is under way. */
  answer: ServerResponse | null;
  /** As the last sweep saw it. */
  readBytes: number;
  idleSinceMs: number;
}

/** The connections to a port, known one by one so that it can be closed without failing anybody. */
export class ClientConnections {
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #known = new Map<Socket, Known>();
  #isClosing = false;

  /** To be made before the server has accepted anything. */
  constructor(server: Server, clock: Clock) {
    this.#server = server;
    this.#clock = clock;
    server.on('connection', (socket: Socket) => {
      this.#known.set(socket, { answer: null, readBytes: -1, idleSinceMs: 0 });
      socket.once('close', () => this.#known.delete(socket));
    });
    for (const event of ['request', 'checkContinue'])
      server.prependListener(event, (incoming: IncomingMessage, outgoing: ServerResponse) => {
        const known = this.#known.get(incoming.socket);
        if (known?.answer?.shouldKeepAlive === false) passOver(incoming, outgoing);
        else if (known !== undefined) follow(known, outgoing);
        if (this.#isClosing) outgoing.shouldKeepAlive = false;
      });
  }

  /** Makes every answer the last of its connection, stops accepting, and resolves when all connections have gone or the time is over. */
  async close({ graceMs, drainMs }: ClosingTimes): Promise<void> {
    const untilMs = this.#clock.nowMs() + drainMs;
    this.#isClosing = true;
    for (const { answer } of this.#known.values()) if (answer?.headersSent === false) answer.shouldKeepAlive = false;
    await this.#clock.sleep(Math.min(graceMs, drainMs));
    await quietly(() => this.#stopAccepting());
    for (let nowMs = this.#clock.nowMs(); this.#known.size > 0 && nowMs < untilMs; nowMs = this.#clock.nowMs()) {
      await this.#clock.sleep(Math.min(sweepMs, untilMs - nowMs));
      await quietly(() => this.#sweep());
    }
  }

  /** Not by the HTTP server's own method, which would close idle connections, too, whatever is on its way on them. */
  #stopAccepting(): void {
    NetServer.prototype.close.call(this.#server);
  }

  #sweep(): void {
    const nowMs = this.#clock.nowMs();
    for (const [socket, known] of this.#known) {
      const { bytesRead } = socket;
      if (bytesRead !== known.readBytes || known.answer !== null) {
        known.readBytes = bytesRead;
        known.idleSinceMs = nowMs;
      } else if (nowMs - known.idleSinceMs >= idleMs) socket.destroy();
    }
  }
}

/** What comes behind the last answer of its connection will have none: nobody is to work for it. Read all the same, since what is left unread is reset. */
function passOver(incoming: IncomingMessage, outgoing: ServerResponse): void {
  outgoing.destroy();
  incoming.resume();
}

/** An idle connection must not hold on to what it was last used for, which can be megabytes. */
function follow(known: Known, answer: ServerResponse): void {
  known.answer = answer;
  answer.on('close', () => {
    if (known.answer === answer) known.answer = null;
  });
}

/** What has come but has not been read, be it a connection or a request, is reset by closing: so one closes right after there was nothing to read. */
function quietly(close: () => void): Promise<void> {
  return new Promise((resolve) =>
    afterQuietTurn(() => {
      close();
      resolve();
    }),
  );
}
