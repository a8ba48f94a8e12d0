import type { GatewayError } from '../kernel/errors.ts';
import { PassingBody } from '../pipeline/passing-body.ts';
import type { Body, BodyEnd } from '../pipeline/reply.ts';

/** Told of a body's first and last byte. */
export interface BodyObserver {
  firstByte(): void;
  /** Once, when the body has ended in whatever way; `why` where it is known. */
  ended(how: BodyEnd, bytes: number, why?: GatewayError): void;
}

/** A body that tells somebody of its first and its last byte, and otherwise passes through. How streams are followed: streaming is no stage of its own. */
export class ObservedBody extends PassingBody {
  readonly #observer: BodyObserver;
  #bytes = 0;
  #hasEnded = false;

  constructor(inner: Body, observer: BodyObserver) {
    super(inner);
    this.#observer = observer;
  }

  override discard(): void {
    super.discard();
    this.#tellEnd('abandoned');
  }

  override chunk(bytes: Uint8Array): boolean {
    if (this.#bytes === 0 && bytes.length > 0) this.#observer.firstByte();
    this.#bytes += bytes.length;
    return this.passOn(bytes);
  }

  override end(how: BodyEnd, why?: GatewayError): void {
    this.#tellEnd(how, why);
    this.passEnd(how, why);
  }

  #tellEnd(how: BodyEnd, why?: GatewayError): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#observer.ended(how, this.#bytes, why);
  }
}
