import { GatewayError } from '../kernel/errors.ts';
import type { BufferRoom } from '../pipeline/buffer-room.ts';
import type { BodyEnd, Sink } from '../pipeline/reply.ts';
import { BodyReader, type ReaderObserver } from './body-reader.ts';
import { KeptPieces } from './kept-pieces.ts';

interface Options {
  readonly room: BufferRoom;
  /** What is kept of the answer at the most. */
  readonly maxBytes: number;
  /** Of the answer; null where nobody knows. */
  readonly sizeBytes: number | null;
  /** Whether readers may come when something has been read already. */
  readonly isJoinable: boolean;
  /** Whether it is wanted though nobody reads it. */
  readonly isWanted: boolean;
  readonly observer: BodyObserver;
}

/** Told of what becomes of a shared body. */
interface BodyObserver {
  /** Nobody can begin to read any more: the answer outgrew its bound, or else there is no room. */
  outgrown(isTooLarge: boolean): void;
  /** Nothing more comes. Called before any reader is told. */
  bodyEnded(): void;
}

/** How a body ended, and why if it is known. */
export interface Ended {
  readonly how: BodyEnd;
  readonly why: GatewayError | undefined;
}

/**
 * One body read by many, each at its own pace. What has come is kept for those who begin later, up to a bound; beyond it, what somebody has
 * still to read. The source is asked to pause when nobody takes anything; a reader that falls behind the others by more than the bound is cut off.
 */
export class SharedBody implements Sink {
  readonly sizeBytes: number | null;
  readonly pieces: KeptPieces;
  readonly #options: Options;
  readonly #readers = new Set<BodyReader>();
  /** Readers that have taken all there is and ask for no pause. */
  #takingCount = 0;
  #isJoinable: boolean;
  /** More is held than there is room for: until that has been read, nothing more should come. */
  #isOverRoom = false;
  #ended: Ended | null = null;
  #goOn: (() => void) | null = null;
  /** In the middle of handing a piece out: the source has more in its hands, and must not be called meanwhile. */
  #isHandingOut = false;

  constructor(options: Options) {
    this.#options = options;
    this.sizeBytes = options.sizeBytes;
    this.#isJoinable = options.isJoinable;
    this.pieces = new KeptPieces(options.room, options.isJoinable);
  }

  /** Whether those who begin to read now get all of it. */
  get isJoinable(): boolean {
    return this.#isJoinable;
  }

  /** Null while more may come. */
  get ended(): Ended | null {
    return this.#ended;
  }

  /** One more reader, from the beginning. */
  newReader(observer: ReaderObserver): BodyReader {
    const reader = new BodyReader(this, observer);
    this.#readers.add(reader);
    return reader;
  }

  chunk(bytes: Uint8Array): boolean {
    if (this.#ended !== null) return true;
    this.#isHandingOut = true;
    if (bytes.length > 0) this.#handOut(bytes);
    this.#isHandingOut = false;
    const mayGoOn = this.#mayGoOn();
    // It was asked to pause, and sent what it had in its hands.
    if (mayGoOn && this.#goOn !== null) queueMicrotask(() => this.#wake());
    return mayGoOn;
  }

  onDrain(call: () => void): void {
    this.#goOn = call;
    this.#wake();
  }

  end(how: BodyEnd, why?: GatewayError): void {
    if (this.#ended !== null) return;
    this.#ended = { how, why };
    this.#isJoinable = false;
    this.#goOn = null;
    this.#options.observer.bodyEnded();
    this.pieces.keepUnread();
    for (const reader of this.#readers) reader.flow();
  }

  /** For `BodyReader` only: it takes what comes from now on (1), or no longer (-1). */
  addTaking(count: 1 | -1): void {
    this.#takingCount += count;
  }

  /** For `BodyReader` only: it has read something. */
  wasRead(): void {
    this.#wake();
  }

  /** For `BodyReader` only. */
  wasLeft(reader: BodyReader): void {
    this.#readers.delete(reader);
    this.#wake();
  }

  #handOut(bytes: Uint8Array): void {
    if (!this.pieces.add(bytes)) this.#isOverRoom = true;
    if (this.#isJoinable && (this.#isOverRoom || this.pieces.heldBytes > this.#options.maxBytes)) this.#outgrow();
    for (const reader of this.#readers) reader.flow();
    this.#cutOff();
  }

  #outgrow(): void {
    this.#isJoinable = false;
    this.#options.observer.outgrown(!this.#isOverRoom);
    this.pieces.keepUnread();
  }

  /** Where others go on, nobody may have more to read than is kept. Who has not begun is about to. */
  #cutOff(): void {
    const { maxBytes, isWanted } = this.#options;
    while (!this.#isJoinable && this.pieces.heldBytes > maxBytes && (this.#takingCount > 0 || isWanted)) {
      const { first } = this.pieces;
      const last = [...this.#readers].filter((reader) => reader.hasBegun && reader.place === first);
      if (last.length === 0) return;
      for (const reader of last) reader.stop({ how: 'broken', why: fellBehind(maxBytes) });
    }
  }

  #mayGoOn(): boolean {
    if (this.pieces.heldBytes === 0) this.#isOverRoom = false;
    return (this.#takingCount > 0 || this.#options.isWanted) && !this.#isOverRoom;
  }

  #wake(): void {
    const goOn = this.#goOn;
    if (goOn === null || this.#isHandingOut || !this.#mayGoOn()) return;
    this.#goOn = null;
    goOn();
  }
}

function fellBehind(maxBytes: number): GatewayError {
  return new GatewayError(
    'fell_behind',
    `the answer was taken too slowly: others have had ${maxBytes} bytes more of it`,
  );
}
