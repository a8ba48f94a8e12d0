import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../kernel/clock.ts';
import type { TimerWheel } from '../kernel/timer-wheel.ts';
import type { BodyEnd, Reply, Sink } from '../pipeline/reply.ts';
import { lingerThenEnd, mustCloseAfter } from './unread-body.ts';

/** The two ends of one request on Node's server. */
export interface Connection {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

/** Where waiting takes its time from. */
export interface Time {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
}

/** Sends the head of a reply and lets its body follow. A body that breaks off ends in a broken connection, never in a clean end. */
export function writeReply({ status, headers, body }: Reply, connection: Connection, time: Time): void {
  const { incoming, outgoing } = connection;
  if (outgoing.destroyed) {
    body.discard();
    return;
  }
  const mustClose = mustCloseAfter(incoming);
  if (mustClose) headers.push('connection', 'close');
  outgoing.writeHead(status, headers);
  body.pump(new OutgoingSink(connection, body.sizeBytes, mustClose ? time : null));
}

class OutgoingSink implements Sink {
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  /** Set where the connection is closed behind the answer. */
  readonly #closing: Time | null;
  /** Still to come; null where nobody knows. */
  #leftBytes: number | null;
  /** The last piece, kept for the end: both then go out in one write. */
  #last: Uint8Array | null = null;

  constructor({ incoming, outgoing }: Connection, sizeBytes: number | null, closing: Time | null) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#leftBytes = sizeBytes;
    this.#closing = closing;
  }

  chunk(bytes: Uint8Array): boolean {
    if (this.#leftBytes !== null) {
      this.#leftBytes -= bytes.length;
      if (this.#leftBytes === 0 && this.#last === null && this.#closing === null) {
        this.#last = bytes;
        return true;
      }
    }
    return this.#outgoing.write(bytes);
  }

  /** Never calls when the client leaves: the body is then cancelled through its exchange. */
  onDrain(call: () => void): void {
    this.#outgoing.once('drain', call);
  }

  end(how: BodyEnd): void {
    if (how !== 'complete') this.#breakOff();
    else if (this.#last !== null) this.#outgoing.end(this.#last);
    else if (this.#closing === null) this.#outgoing.end();
    else lingerThenEnd(this.#incoming, this.#outgoing, this.#closing);
  }

  /** To clients of HTTP/1.0 a closed connection is how an answer ends well: only a reset says otherwise. */
  #breakOff(): void {
    if (this.#incoming.httpVersionMinor === 0) this.#outgoing.socket?.resetAndDestroy();
    else this.#outgoing.destroy();
  }
}
