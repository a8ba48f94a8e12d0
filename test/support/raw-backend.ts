import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { Scope } from './gateway-process.ts';

/** One request as it came over a socket, and what became of that socket. Instants are of `performance.now()`. */
export interface Arrival {
  /** Counted from 0 for every backend: two arrivals of the same number came over one connection. */
  readonly connection: number;
  /** The first line. */
  readonly line: string;
  /** The lines behind it, as they were sent. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  readonly atMs: number;
  readonly socket: Socket;
  /** When the connection was gone; null while it stands. */
  closedAtMs: number | null;
}

interface Options {
  readonly listen?: ListenOptions;
  readonly tls?: TlsOptions;
  /** Whether health checks are told that all is well; they are no arrivals, nor is what the gateway asks about models. */
  readonly isReady?: boolean;
}

type Script = (arrival: Arrival) => void;

/** Of the protocols open-inference and openai. */
const healthCheck = /^GET \/(?:v2\/health\/ready|v1\/models) /;

/** What the gateway asks of itself has no id. */
function isModelQuestion(line: string, headers: readonly string[]): boolean {
  return /^GET \/v2\/models\/[^/ ]+ /.test(line) && lineOf(headers, 'x-request-id') === null;
}

/** A backend that speaks bytes: it records every request, and the test's script writes whatever it likes in answer, or does worse. */
export class RawBackend {
  readonly arrivals: Arrival[] = [];
  connections = 0;
  /** Answers requests from now on. */
  script: Script;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #isReady: boolean;

  /** Resolves when it can be connected to; closed when the test ends. */
  static async start(
    context: Scope,
    script: Script,
    { listen = { port: 0, host: '127.0.0.1' }, tls, isReady = true }: Options = {},
  ): Promise<RawBackend> {
    const backend = new RawBackend(script, tls, isReady);
    await new Promise<void>((resolve, reject) => {
      backend.#server.once('error', reject);
      backend.#server.listen(listen, resolve);
    });
    context.after(() => backend.close());
    return backend;
  }

  private constructor(script: Script, tls: TlsOptions | undefined, isReady: boolean) {
    this.script = script;
    this.#isReady = isReady;
    this.#server =
      tls === undefined
        ? createServer((socket) => this.#accept(socket))
        : createTlsServer(tls, (socket) => this.#accept(socket));
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the backend has no port');
    return address.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Connections that stand. */
  get open(): number {
    return this.#sockets.size;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(socket: Socket): void {
    const connection = this.connections++;
    let held = Buffer.alloc(0);
    let last: Arrival | null = null;
    this.#sockets.add(socket);
    socket.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]);
      for (let taken = takeRequest(held); taken !== null; taken = takeRequest(held)) {
        held = taken.rest;
        last = this.#take(taken, connection, socket) ?? last;
      }
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#sockets.delete(socket);
      if (last !== null) last.closedAtMs = performance.now();
    });
  }

  #take({ line, headers, body }: Taken, connection: number, socket: Socket): Arrival | null {
    if (this.#isReady && (healthCheck.test(line) || isModelQuestion(line, headers))) {
      socket.write(okAnswer('{}'));
      return null;
    }
    const arrival = { connection, line, headers, body, atMs: performance.now(), socket, closedAtMs: null };
    this.arrivals.push(arrival);
    this.script(arrival);
    return arrival;
  }
}

/** The bytes of an answer that keeps its connection. */
export function okAnswer(body: string | Buffer, ...headers: readonly string[]): string {
  return answer('200 OK', body, ...headers);
}

/** The bytes of an answer with a status line of its own. */
export function answer(status: string, body: string | Buffer, ...headers: readonly string[]): string {
  const lines = [`HTTP/1.1 ${status}`, `content-length: ${Buffer.byteLength(body)}`, ...headers];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** The value of a header in a list of lines, or null; `name` in lower case. */
export function lineOf(headers: readonly string[], name: string): string | null {
  const line = headers.find((one) => one.toLowerCase().startsWith(`${name}:`));
  return line === undefined ? null : line.slice(name.length + 1).trim();
}

interface Taken {
  readonly line: string;
  readonly headers: readonly string[];
  readonly body: Buffer;
  readonly rest: Buffer<ArrayBuffer>;
}

/** Cuts one request off the bytes, or null while it has not come whole. The gateway always sends a length. */
function takeRequest(bytes: Buffer<ArrayBuffer>): Taken | null {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return null;
  const [line = '', ...headers] = bytes.toString('latin1', 0, headEnd).split('\r\n');
  const end = headEnd + 4 + Number(lineOf(headers, 'content-length') ?? 0);
  if (bytes.length < end) return null;
  return { line, headers, body: bytes.subarray(headEnd + 4, end), rest: bytes.subarray(end) };
}
