import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { isOwnLimit } from '../report/own-limit.ts';
import { type AnswerHead, AnswerParser } from './answer-parser.ts';
import type { Carrier, CarrierEvents, Failure, SendingEvents } from './sender.ts';

/** Where connections lead. */
export interface Destination {
  /** An address, so that no connection waits for a name to be looked up. */
  readonly address: string;
  readonly port: number;
  /** The name that its certificate must bear; null for a destination without TLS. */
  readonly tlsName: string | null;
}

/** Reads are as large at most: all that a slow reader takes at once. */
export const readBytes = 16_384;

/** A connection by a socket. */
export class Connection implements Carrier {
  isConnected = false;
  freeSinceMs = 0;
  readonly #owner: CarrierEvents;
  readonly #socket: Socket;
  readonly #parser: AnswerParser;
  #events: SendingEvents | null = null;

  constructor(destination: Destination, owner: CarrierEvents) {
    this.#owner = owner;
    this.#parser = new AnswerParser({
      head: (head: AnswerHead) => this.#events?.head(head),
      body: (bytes, from, until) => this.#events?.body(bytes, from, until),
      end: () => this.#finish(),
    });
    this.#socket = this.#open(destination);
    this.#socket.once(destination.tlsName === null ? 'connect' : 'secureConnect', () => {
      this.isConnected = true;
    });
    this.#socket.on('end', () => this.#close());
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#fail(this.#blame(error.code)));
    this.#socket.on('close', () => this.#fail(this.#blame(undefined)));
  }

  carry(request: Buffer, events: SendingEvents): void {
    this.#events = events;
    this.#parser.expect();
    events.sent();
    this.#socket.write(request);
  }

  leave(): void {
    this.#events = null;
    this.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Reads go to one buffer of the connection's own, where the system lets them: thousands of reads a second leave nothing to be collected. */
  #open({ address, port, tlsName }: Destination): Socket {
    const at = { host: address, port, noDelay: true };
    if (tlsName === null) {
      const take = (size: number, bytes: Uint8Array): boolean => this.#take(bytes as Buffer, size);
      return connect({ ...at, onread: { buffer: Buffer.allocUnsafeSlow(readBytes), callback: take } });
    }
    const socket = connectTls({ ...at, ...(tlsName === '' ? {} : { servername: tlsName }) });
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => this.#take(bytes, bytes.length));
    return socket;
  }

  #take(bytes: Buffer, size: number): boolean {
    try {
      this.#parser.take(bytes, size);
    } catch {
      this.#fail('broken');
    }
    return true;
  }

  #close(): void {
    try {
      this.#parser.close();
    } catch {
      this.#fail('broken');
    }
  }

  #finish(): void {
    const events = this.#events;
    this.#events = null;
    this.#socket.resume();
    if (this.#parser.keepsAlive) this.#owner.free(this);
    else this.destroy();
    events?.end();
  }

  #blame(code: string | undefined): Failure {
    if (isOwnLimit(code)) return code;
    return this.isConnected ? 'broken' : 'unreachable';
  }

  #fail(why: Failure): void {
    const events = this.#events;
    this.#events = null;
    this.destroy();
    this.#owner.gone(this);
    events?.failed(why);
  }
}
