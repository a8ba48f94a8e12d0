import type { Body, BodyEnd, Sink } from '../pipeline/reply.ts';

/** Told of a body's first and last byte. */
export interface BodyObserver {
  firstByte(): void;
  /** Once, when the body has ended in whatever way. */
  ended(how: BodyEnd, bytes: number): void;
}

/** A body that tells somebody of its first and its last byte, and otherwise passes through. How streams are followed: streaming is no stage of its own. */
export class ObservedBody implements Body, Sink {
  readonly #inner: Body;
  readonly #observer: BodyObserver;
  #sink: Sink | null = null;
  #bytes = 0;
  #hasEnded = false;

  constructor(inner: Body, observer: BodyObserver) {
    this.#inner = inner;
    this.#observer = observer;
  }

  get sizeBytes(): number | null {
    return this.#inner.sizeBytes;
  }

  pump(sink: Sink): void {
    this.#sink = sink;
    this.#inner.pump(this);
  }

  discard(): void {
    this.#inner.discard();
    this.#tellEnd('abandoned');
  }

  chunk(bytes: Uint8Array): boolean {
    if (this.#bytes === 0 && bytes.length > 0) this.#observer.firstByte();
    this.#bytes += bytes.length;
    return this.#sink?.chunk(bytes) ?? true;
  }

  onDrain(call: () => void): void {
    this.#sink?.onDrain(call);
  }

  end(how: BodyEnd): void {
    this.#tellEnd(how);
    this.#sink?.end(how);
  }

  #tellEnd(how: BodyEnd): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#observer.ended(how, this.#bytes);
  }
}
