import { asGatewayError } from '../kernel/errors.ts';
import type { Body, Sink } from '../pipeline/reply.ts';
import type { Place } from './kept-pieces.ts';
import type { Ended, SharedBody } from './shared-body.ts';

const givenUp: Ended = { how: 'abandoned', why: undefined };

/** Told when a reader has ended, before its sink is. */
export interface ReaderObserver {
  hasRead(ended: Ended): void;
}

/** A body that gives one reader what a shared one holds, and then what comes. */
export class BodyReader implements Body {
  readonly #shared: SharedBody;
  readonly #observer: ReaderObserver;
  #place: Place;
  #sink: Sink | null = null;
  #isPaused = false;
  /** In the middle of handing pieces over: whatever that sets off is handed over in its turn. */
  #isFlowing = false;
  #isTaking = false;
  #ended: Ended | null = null;

  constructor(shared: SharedBody, observer: ReaderObserver) {
    this.#shared = shared;
    this.#observer = observer;
    this.#place = shared.pieces.enter();
  }

  get sizeBytes(): number | null {
    return this.#shared.sizeBytes;
  }

  get hasBegun(): boolean {
    return this.#sink !== null;
  }

  /** Between what it has read and what it has not. */
  get place(): Place {
    return this.#place;
  }

  pump(sink: Sink): void {
    this.#sink = sink;
    if (this.#ended !== null) {
      sink.end(this.#ended.how, this.#ended.why);
      return;
    }
    this.#setTaking(true);
    this.flow();
    this.#shared.wasRead();
  }

  discard(): void {
    this.stop(givenUp);
  }

  /** Hands over what there is, as far as the sink takes it, and the end when all has been handed over. */
  flow(): void {
    const sink = this.#sink;
    if (sink === null || this.#isFlowing) return;
    this.#isFlowing = true;
    try {
      while (!this.#isPaused && this.#ended === null && this.#place.bytes !== null)
        this.#handOver(sink, this.#place.bytes);
    } catch (fault) {
      // A fault of one sink ends its own answer: thrown at the source, it would end all others.
      this.stop({ how: 'abandoned', why: asGatewayError(fault) });
    }
    this.#isFlowing = false;
    if (this.#place.bytes === null && this.#shared.ended !== null) this.stop(this.#shared.ended);
  }

  /** Ends it, unless it has ended. */
  stop(ended: Ended): void {
    if (this.#ended !== null) return;
    this.#ended = ended;
    this.#setTaking(false);
    this.#shared.pieces.leave(this.#place);
    this.#observer.hasRead(ended);
    this.#shared.wasLeft(this);
    this.#sink?.end(ended.how, ended.why);
  }

  #handOver(sink: Sink, bytes: Uint8Array): void {
    this.#place = this.#shared.pieces.pass(this.#place);
    if (sink.chunk(bytes) || this.#ended !== null) return;
    this.#isPaused = true;
    this.#setTaking(false);
    sink.onDrain(this.#resume);
  }

  readonly #resume = (): void => {
    if (!this.#isPaused || this.#ended !== null) return;
    this.#isPaused = false;
    this.#setTaking(true);
    this.flow();
    this.#shared.wasRead();
  };

  #setTaking(isTaking: boolean): void {
    if (this.#isTaking === isTaking) return;
    this.#isTaking = isTaking;
    this.#shared.addTaking(isTaking ? 1 : -1);
  }
}
