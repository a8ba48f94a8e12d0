import type { GatewayError } from '../../gateway/kernel/errors.ts';
import type { Body, BodyEnd, Sink } from '../../gateway/pipeline/reply.ts';

/** A body that a test feeds by hand, and that tells what was asked of it. */
export class FedBody implements Body {
  readonly sizeBytes: number | null;
  pumps = 0;
  discards = 0;
  /** Its sink asked for a pause and has not drained since. */
  isPaused = false;
  #sink: Sink | null = null;

  constructor(sizeBytes: number | null = null) {
    this.sizeBytes = sizeBytes;
  }

  pump(sink: Sink): void {
    this.pumps += 1;
    this.#sink = sink;
  }

  discard(): void {
    this.discards += 1;
  }

  /** Sends a piece, as text or bytes. */
  feed(piece: string | Uint8Array): void {
    if (this.#sink === null) throw new Error('fed before it was pumped');
    if (this.isPaused) throw new Error('fed while paused');
    if (this.#sink.chunk(Buffer.from(piece))) return;
    this.isPaused = true;
    this.#sink.onDrain(() => {
      this.isPaused = false;
    });
  }

  end(how: BodyEnd, why?: GatewayError): void {
    this.#sink?.end(how, why);
  }
}

/** A sink that keeps what it gets, can ask for pauses, and throws at whatever comes after the end. */
export class KeepingSink implements Sink {
  readonly pieces: Buffer[] = [];
  ended: BodyEnd | null = null;
  /** Whether it asks for a pause after every piece. */
  isSlow = false;
  readonly #waiting: (() => void)[] = [];

  get text(): string {
    return Buffer.concat(this.pieces).toString();
  }

  chunk(bytes: Uint8Array): boolean {
    if (this.ended !== null) throw new Error('a piece after the end');
    this.pieces.push(Buffer.from(bytes));
    return !this.isSlow;
  }

  onDrain(call: () => void): void {
    this.#waiting.push(call);
  }

  end(how: BodyEnd): void {
    if (this.ended !== null) throw new Error(`ended as ${how} after it had ended as ${this.ended}`);
    this.ended = how;
  }

  /** It can take more. */
  drain(): void {
    for (const call of this.#waiting.splice(0)) call();
  }
}

/** Pumps a body that is all here, or fed meanwhile, into a sink of its own. */
export function pumped(body: Body): KeepingSink {
  const sink = new KeepingSink();
  body.pump(sink);
  return sink;
}
