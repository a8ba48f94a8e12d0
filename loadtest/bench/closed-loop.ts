import { connect, type Socket } from 'node:net';
import type { AnswerReader } from './answer-reader.ts';

interface Options {
  readonly port: number;
  readonly connections: number;
  /** Gives the request that is sent next, head and body. */
  readonly next: () => Buffer;
  /** Called once a connection. */
  readonly newReader: () => AnswerReader;
}

/** Clients that each send the next request when the last is answered, over connections they keep. */
export class ClosedLoop {
  readonly #next: () => Buffer;
  readonly #readers: AnswerReader[] = [];
  readonly #sockets: Socket[];
  /** What went wrong first. */
  failure: Error | null = null;

  constructor({ port, connections, next, newReader }: Options) {
    this.#next = next;
    this.#sockets = Array.from({ length: connections }, () => this.#open(port, newReader()));
  }

  /** What the readers have counted so far, together. */
  get counted(): { units: number; reads: number } {
    const sum = (key: 'units' | 'reads'): number => this.#readers.reduce((soFar, reader) => soFar + reader[key], 0);
    return { units: sum('units'), reads: sum('reads') };
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #open(port: number, reader: AnswerReader): Socket {
    this.#readers.push(reader);
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.on('connect', () => socket.write(this.#next()));
    socket.on('data', (bytes: Buffer) => {
      try {
        if (reader.take(bytes)) socket.write(this.#next());
      } catch (error) {
        socket.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    });
    socket.on('error', (error) => {
      this.failure ??= error;
    });
    return socket;
  }
}
