import type { GatewayError } from '../kernel/errors.ts';
import type { Body, BodyEnd, Sink } from '../pipeline/reply.ts';

/** A body that is kept as it passes. What is told of it has been told before whoever reads it sees its end. */
export class StoringBody implements Body {
  readonly sizeBytes: number | null;
  readonly #inner: Body;
  readonly #maxBytes: number;
  readonly #ended: (whole: Uint8Array | null) => void;

  /** `ended` gets all of it, or null where it did not come whole, or was more than `maxBytes`; it is called once. */
  constructor(inner: Body, maxBytes: number, ended: (whole: Uint8Array | null) => void) {
    this.sizeBytes = inner.sizeBytes;
    this.#inner = inner;
    this.#maxBytes = maxBytes;
    this.#ended = ended;
  }

  pump(sink: Sink): void {
    this.#inner.pump(new StoringSink(sink, this.#maxBytes, this.#ended));
  }

  discard(): void {
    this.#ended(null);
    this.#inner.discard();
  }
}

class StoringSink implements Sink {
  readonly #sink: Sink;
  readonly #maxBytes: number;
  readonly #ended: (whole: Uint8Array | null) => void;
  #pieces: Uint8Array[] = [];
  #sizeBytes = 0;

  constructor(sink: Sink, maxBytes: number, ended: (whole: Uint8Array | null) => void) {
    this.#sink = sink;
    this.#maxBytes = maxBytes;
    this.#ended = ended;
  }

  chunk(bytes: Uint8Array): boolean {
    this.#sizeBytes += bytes.length;
    if (this.#sizeBytes <= this.#maxBytes) this.#pieces.push(bytes);
    else this.#pieces = [];
    return this.#sink.chunk(bytes);
  }

  onDrain(call: () => void): void {
    this.#sink.onDrain(call);
  }

  end(how: BodyEnd, why?: GatewayError): void {
    const isWhole = how === 'complete' && this.#sizeBytes <= this.#maxBytes;
    this.#ended(isWhole ? Buffer.concat(this.#pieces, this.#sizeBytes) : null);
    this.#sink.end(how, why);
  }
}
