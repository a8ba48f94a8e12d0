import { asGatewayError, type GatewayError } from '../kernel/errors.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Reply } from '../pipeline/reply.ts';
import type { Serve } from '../pipeline/stage.ts';
import type { BodyReader } from './body-reader.ts';

/** Somebody who waits for the head of an answer and then reads it. */
export class FlightMember {
  readonly exchange: Exchange;
  /** The way it goes where it goes by itself. */
  readonly next: Serve;
  /** Settles at the head. */
  readonly reply: Promise<Reply>;
  /** Null until the head has come. */
  reader: BodyReader | null = null;
  readonly #joinedAtMs: number;
  readonly #onCancel: (reason: GatewayError) => void;
  readonly #answering: PromiseWithResolvers<Reply>;

  /** `onLeave` is called when it is cancelled. */
  constructor(exchange: Exchange, next: Serve, nowMs: number, onLeave: (one: FlightMember, why: GatewayError) => void) {
    this.exchange = exchange;
    this.next = next;
    this.#joinedAtMs = nowMs;
    this.#answering = Promise.withResolvers();
    this.reply = this.#answering.promise;
    this.#onCancel = (reason) => onLeave(this, reason);
    exchange.cancellation.onCancel(this.#onCancel);
  }

  /** Notes what has been learned of the work for it, as far as it had a part in that. */
  learnFrom({ journal }: Exchange, isItsOwn: boolean): void {
    this.exchange.journal.learn(journal, this.#joinedAtMs, isItsOwn);
  }

  /** Whatever becomes of its exchange is no matter of the flight any more. */
  letGo(): void {
    this.exchange.cancellation.off(this.#onCancel);
  }

  /** The head is what is made here; where that fails, its own body ends and nobody else's. */
  answer(reply: () => Reply): void {
    try {
      this.#answering.resolve(reply());
    } catch (fault) {
      this.#answering.reject(asGatewayError(fault));
      this.reader?.discard();
    }
  }

  fail(error: GatewayError): void {
    this.#answering.reject(error);
  }

  /** Has its answer from elsewhere. */
  goOn(reply: Promise<Reply>): void {
    this.#answering.resolve(reply);
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
