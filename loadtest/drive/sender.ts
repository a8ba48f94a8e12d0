import type { OwnLimit } from '../report/own-limit.ts';
import type { AnswerEvents } from './answer-parser.ts';

/** Why a request has no whole answer. With a limit of this machine it was never sent. */
export type Failure = 'unreachable' | 'broken' | OwnLimit;

/** Is told what becomes of a request. After `end` or `failed` it is told nothing more. */
export interface SendingEvents extends AnswerEvents {
  /** It has a connection, or one is being opened for it: from here on its time is the target's. */
  sent(): void;
  failed(why: Failure): void;
}

/** One request under way. */
export interface Sending {
  /** False while its connection is still being opened. */
  readonly isConnected: boolean;
  /** Goes away; nothing more is told. */
  leave(): void;
  /** Takes no bytes until `resume`. */
  pause(): void;
  resume(): void;
}

/** What requests are handed to: sockets, which take bytes, or what stands in their place where time is virtual. */
export interface Sender<Request = Buffer> {
  send(request: Request, events: SendingEvents): Sending;
  close(): void;
}

/** One connection, which carries one request at a time. */
export interface Carrier<Request = Buffer> extends Sending {
  /** When it was last given back; its owner's affair. */
  freeSinceMs: number;
  /** Only for one that is free. */
  carry(request: Request, events: SendingEvents): void;
  destroy(): void;
}

/** What becomes of a connection. */
export interface CarrierEvents<Request = Buffer> {
  /** Its answer is there, and it can take another request. */
  free(carrier: Carrier<Request>): void;
  gone(carrier: Carrier<Request>): void;
}
