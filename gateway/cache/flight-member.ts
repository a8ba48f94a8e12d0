import { asGatewayError, type GatewayError } from '../kernel/errors.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Reply } from '../pipeline/reply.ts';
import type { Serve } from '../pipeline/stage.ts';
import type { BodyReader, ReaderObserver } from './body-reader.ts';
import type { Ended } from './shared-body.ts';

/** Told of what its members do. */
export interface MemberObserver {
  /** Its exchange was cancelled. */
  left(member: FlightMember, why: GatewayError): void;
  /** Its answer has ended for it. */
  hasRead(member: FlightMember, ended: Ended): void;
}

/** Somebody who waits for the head of an answer and then reads it. */
export class FlightMember implements ReaderObserver {
  readonly exchange: Exchange;
  /** The way it goes where it goes by itself. */
  readonly next: Serve;
  /** Null until the head has come. */
  reader: BodyReader | null = null;
  readonly #joinedAtMs: number;
  readonly #observer: MemberObserver;
  readonly #answering = Promise.withResolvers<Reply>();
  readonly #onCancel = (reason: GatewayError): void => this.#observer.left(this, reason);

  constructor(exchange: Exchange, next: Serve, nowMs: number, observer: MemberObserver) {
    this.exchange = exchange;
    this.next = next;
    this.#joinedAtMs = nowMs;
    this.#observer = observer;
    exchange.cancellation.onCancel(this.#onCancel);
  }

  /** Settles at the head. */
  get reply(): Promise<Reply> {
    return this.#answering.promise;
  }

  /** Notes what has been learned of the work until now, as far as it had a part in that. */
  learnFrom({ journal }: Exchange, nowMs: number, isItsOwn: boolean): void {
    this.exchange.journal.learn(journal, this.#joinedAtMs, nowMs, isItsOwn);
  }

  /** Whatever becomes of its exchange is no matter of the flight any more. */
  letGo(): void {
    this.exchange.cancellation.off(this.#onCancel);
  }

  /** Gives it the head of its answer, perhaps by a way that it still goes by itself. */
  answer(reply: Reply | Promise<Reply>): void {
    this.#answering.resolve(reply);
  }

  fail(error: GatewayError): void {
    this.#answering.reject(error);
  }

  hasRead(ended: Ended): void {
    this.#observer.hasRead(this, ended);
  }
}

/** Some stages throw where others reject. */
export function begin(next: Serve, exchange: Exchange): Promise<Reply> {
  try {
    return next(exchange);
  } catch (thrown) {
    return Promise.reject(asGatewayError(thrown));
  }
}
