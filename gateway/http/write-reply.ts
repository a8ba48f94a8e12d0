import type { IncomingMessage, ServerResponse } from 'node:http';
import { GatewayError } from '../kernel/errors.ts';
import type { Alarm } from '../kernel/timer-wheel.ts';
import type { BodyEnd, Reply, Sink } from '../pipeline/reply.ts';
import { isEventStream } from '../protocols/events.ts';
import { breakConnection } from './break-connection.ts';
import { breakStream, StreamTail } from './break-stream.ts';
import type { Connection, Time } from './connection.ts';
import { endTogether } from './end-together.ts';
import { lingerThenEnd, mustLinger } from './unread-body.ts';

/** How a reply is written. */
export interface Writing {
  readonly time: Time;
  /** The value of `server-timing`, asked for when the head goes out. */
  timing(): string;
  /** What is said instead where a body breaks off before anything of it has come. */
  insteadOfNothing(why?: GatewayError): Reply;
  /** The last event of a stream of events that breaks off; null where clients expect none. */
  lastEvent(why?: GatewayError): Uint8Array | null;
  /** Ends the work for an answer that nobody takes, whose connection has been closed. */
  giveUp(why: GatewayError): void;
}

/**
 * How long an answer may wait for a client that takes nothing of it, as in nginx (`send_timeout`): without a bound such clients would hold
 * their replicas' slots for ever. What waits is a few pieces of 64 KiB, so that a client which takes 4 KiB a second is never given up.
 */
const untakenMs = 60_000;

/** Sends a reply, the head with the first byte of the body. A body that breaks off ends in a broken connection, never in a clean end. */
export function writeReply(reply: Reply, connection: Connection, writing: Writing): void {
  if (connection.outgoing.destroyed) reply.body.discard();
  else reply.body.pump(new OutgoingSink(reply, connection, writing));
}

class OutgoingSink implements Sink {
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  readonly #writing: Writing;
  /** Null when it has been sent. */
  #head: Pick<Reply, 'status' | 'headers'> | null;
  /** Whether the rest of the request is read before the connection is closed behind the answer. */
  readonly #mustLinger: boolean;
  /** Still to come; null where nobody knows. */
  #leftBytes: number | null;
  /** The last piece, kept for the end: both then go out in one write. */
  #last: Uint8Array | null = null;
  /** Null where the answer is no stream of events, or one whose length is fixed. */
  readonly #tail: StreamTail | null;
  /** Rings when the client has taken nothing for too long; null while it is not waited for. */
  #alarm: Alarm | null = null;

  constructor(reply: Reply, { incoming, outgoing }: Connection, writing: Writing) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#writing = writing;
    this.#head = reply;
    this.#leftBytes = reply.body.sizeBytes;
    this.#mustLinger = mustLinger(incoming, outgoing);
    this.#tail = this.#leftBytes === null && isEventStream(reply) ? new StreamTail() : null;
  }

  chunk(bytes: Uint8Array): boolean {
    if (this.#leftBytes !== null) {
      this.#leftBytes -= bytes.length;
      if (this.#leftBytes === 0 && this.#last === null && !this.#mustLinger) {
        this.#last = bytes;
        return true;
      }
    }
    this.#sendHead();
    this.#tail?.chunk(bytes);
    return this.#outgoing.write(bytes);
  }

  /** Never calls when the client leaves: the body is then cancelled through its exchange. */
  onDrain(call: () => void): void {
    this.#awaitTaking();
    this.#outgoing.once('drain', () => {
      this.#alarm?.disarm();
      call();
    });
  }

  end(how: BodyEnd, why?: GatewayError): void {
    this.#alarm?.disarm();
    if (how !== 'complete') {
      this.#breakOff(why);
      return;
    }
    this.#sendHead();
    if (this.#last !== null) endTogether(this.#outgoing, this.#last);
    else if (this.#mustLinger) lingerThenEnd(this.#incoming, this.#outgoing, this.#writing.time);
    else this.#outgoing.end();
  }

  #awaitTaking(): void {
    const { clock, wheel } = this.#writing.time;
    this.#alarm = wheel.arm(clock.nowMs() + untakenMs, () => this.#giveUp());
  }

  #giveUp(): void {
    // Behind an earlier answer that is not finished, there is nothing to take yet.
    if (this.#outgoing.socket === null) {
      this.#awaitTaking();
      return;
    }
    this.#outgoing.destroy();
    this.#writing.giveUp(new GatewayError('client_left', `the client took nothing for ${untakenMs / 1000} s`));
  }

  #sendHead(): void {
    if (this.#head === null) return;
    const { status, headers } = this.#head;
    this.#head = null;
    if (this.#mustLinger) this.#outgoing.shouldKeepAlive = false;
    // Behind those of the replica, if it sent any: a list may come in several lines (RFC 9110 section 5.3).
    headers.push('server-timing', this.#writing.timing());
    this.#outgoing.writeHead(status, headers);
  }

  /** To clients of HTTP/1.0 a closed connection is how an answer ends well: only a reset says otherwise. */
  #breakOff(why: GatewayError | undefined): void {
    if (this.#outgoing.destroyed) return;
    if (this.#head !== null) {
      const instead = this.#writing.insteadOfNothing(why);
      this.#head = instead;
      instead.body.pump(this);
      return;
    }
    if (this.#incoming.httpVersionMinor === 0) {
      breakConnection(this.#outgoing, 'reset');
      return;
    }
    const event = this.#tail === null ? null : this.#writing.lastEvent(why);
    if (event === null || this.#tail === null) breakConnection(this.#outgoing);
    else breakStream(this.#outgoing, event, this.#tail, this.#writing.time);
  }
}
