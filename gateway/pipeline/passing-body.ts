import { asGatewayError, type GatewayError } from '../kernel/errors.ts';
import type { Body, BodyEnd, Sink } from './reply.ts';

const nothing = (): void => {};

/** A body that passes another one on. Who wants to see or change what passes overrides `chunk` and `end`, and calls `passOn` and `passEnd`. */
export class PassingBody implements Body, Sink {
  readonly #inner: Body;
  #sink: Sink | null = null;

  constructor(inner: Body) {
    this.#inner = inner;
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
  }

  chunk(bytes: Uint8Array): boolean {
    return this.passOn(bytes);
  }

  onDrain(call: () => void): void {
    this.#sink?.onDrain(call);
  }

  end(how: BodyEnd, why?: GatewayError): void {
    this.passEnd(how, why);
  }

  protected passOn(bytes: Uint8Array): boolean {
    return this.#sink?.chunk(bytes) ?? true;
  }

  /** Passes the end on, after what is left to do. A fault in that breaks this body off: thrown at whoever ended it, it would end the process. */
  protected passEnd(how: BodyEnd, why?: GatewayError, finish: () => void = nothing): void {
    try {
      finish();
    } catch (fault) {
      this.#sink?.end('abandoned', asGatewayError(fault));
      return;
    }
    this.#sink?.end(how, why);
  }
}
