import type { GatewayError } from '../kernel/errors.ts';
import type { Body, BodyEnd, Sink } from './reply.ts';

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

  protected passEnd(how: BodyEnd, why?: GatewayError): void {
    this.#sink?.end(how, why);
  }
}
