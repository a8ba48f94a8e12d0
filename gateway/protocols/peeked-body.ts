import type { GatewayError } from '../kernel/errors.ts';
import type { Body, BodyEnd, Sink } from '../pipeline/reply.ts';

/** Whether what has come tells what there is to know. */
type IsEnough = (beginning: Buffer) => boolean;

/** What does not show itself within so much never does. */
const mostLookedAtBytes = 64 * 1024;

/** A body whose beginning can be read, and replaced, before it is passed on. */
export class PeekedBody implements Body, Sink {
  readonly #inner: Body;
  readonly #peekBytes: number;
  readonly #isEnough: IsEnough;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #grownBytes = 0;
  #sink: Sink | null = null;
  #ended: BodyEnd | null = null;
  #why: GatewayError | undefined;
  #tellPeeked = (): void => {};
  #goOn = (): void => {};

  private constructor(inner: Body, peekBytes: number, isEnough: IsEnough) {
    this.#inner = inner;
    this.#peekBytes = peekBytes;
    this.#isEnough = isEnough;
  }

  /** Resolves when `peekBytes` have come that are enough, or 64 KiB, or all there is. The rest waits with the sender. */
  static async peek(inner: Body, peekBytes: number, isEnough: IsEnough = () => true): Promise<PeekedBody> {
    const body = new PeekedBody(inner, peekBytes, isEnough);
    const peeked = new Promise<void>((resolve) => {
      body.#tellPeeked = resolve;
    });
    inner.pump(body);
    await peeked;
    return body;
  }

  get sizeBytes(): number | null {
    return this.#inner.sizeBytes === null ? null : this.#inner.sizeBytes + this.#grownBytes;
  }

  /** How it ended, where it did before it was passed on. */
  get endedAs(): BodyEnd | null {
    return this.#ended;
  }

  /** Why it broke off, where that is known. */
  get why(): GatewayError | undefined {
    return this.#why;
  }

  /** What has come so far. */
  beginning(): Buffer {
    return Buffer.concat(this.#held);
  }

  /** Passes on other bytes in the place of those that `beginning` gave. */
  replaceBeginning(bytes: Uint8Array): void {
    this.#grownBytes += bytes.length - this.#heldBytes;
    this.#held = [bytes];
    this.#heldBytes = bytes.length;
  }

  pump(sink: Sink): void {
    this.#sink = sink;
    let mayGoOn = true;
    for (const bytes of this.#held) mayGoOn = sink.chunk(bytes);
    this.#held = [];
    if (this.#ended !== null) sink.end(this.#ended, this.#why);
    else if (mayGoOn) this.#goOn();
    else sink.onDrain(this.#goOn);
  }

  discard(): void {
    this.#held = [];
    this.#inner.discard();
  }

  chunk(bytes: Uint8Array): boolean {
    if (this.#sink !== null) return this.#sink.chunk(bytes);
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes < this.#peekBytes) return true;
    if (this.#heldBytes < mostLookedAtBytes && !this.#isEnough(this.beginning())) return true;
    this.#tellPeeked();
    return false;
  }

  onDrain(call: () => void): void {
    if (this.#sink === null) this.#goOn = call;
    else this.#sink.onDrain(call);
  }

  end(how: BodyEnd, why?: GatewayError): void {
    if (this.#sink !== null) {
      this.#sink.end(how, why);
      return;
    }
    this.#ended = how;
    this.#why = why;
    this.#tellPeeked();
  }
}
