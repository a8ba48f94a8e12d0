import type { GatewayError } from '../kernel/errors.ts';
import type { BufferRoom } from '../pipeline/buffer-room.ts';
import { PassingBody } from '../pipeline/passing-body.ts';
import type { Body, BodyEnd } from '../pipeline/reply.ts';

interface Options {
  /** What is kept meanwhile is held here. */
  readonly room: BufferRoom;
  readonly maxBytes: number;
  /**
   * Called once, before whoever reads it sees its end: with all of it; or why it was not kept: it did not come whole, or there was no room for
   * it (`failed`), or it is larger than may be (`unshareable`).
   */
  readonly ended: (whole: Uint8Array | 'failed' | 'unshareable') => void;
}

/** A body that is kept as it passes. */
export class StoringBody extends PassingBody {
  readonly #options: Options;
  #pieces: Uint8Array[] = [];
  #heldBytes = 0;
  #whyNot: 'failed' | 'unshareable' | null = null;

  constructor(inner: Body, options: Options) {
    super(inner);
    this.#options = options;
  }

  override discard(): void {
    this.#tell('failed');
    super.discard();
  }

  override chunk(bytes: Uint8Array): boolean {
    if (this.#whyNot === null) this.#keep(bytes);
    return this.passOn(bytes);
  }

  override end(how: BodyEnd, why?: GatewayError): void {
    const whyNot = how === 'complete' ? this.#whyNot : 'failed';
    this.passEnd(how, why, () => this.#tell(whyNot ?? Buffer.concat(this.#pieces, this.#heldBytes)));
  }

  #keep(bytes: Uint8Array): void {
    const { room, maxBytes } = this.#options;
    if (this.#heldBytes + bytes.length > maxBytes) this.#forget('unshareable');
    else if (!room.take(bytes.length)) this.#forget('failed');
    else {
      this.#heldBytes += bytes.length;
      this.#pieces.push(bytes);
    }
  }

  #forget(whyNot: 'failed' | 'unshareable'): void {
    this.#whyNot = whyNot;
    this.#options.room.giveBack(this.#heldBytes);
    this.#heldBytes = 0;
    this.#pieces = [];
  }

  #tell(what: Uint8Array | 'failed' | 'unshareable'): void {
    this.#forget('failed');
    this.#options.ended(what);
  }
}
