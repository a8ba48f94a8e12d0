import type { AnswerHead } from '../drive/answer-parser.ts';

/** Is told of an answer at the reader's end of a flow. After `end` or `broken` it is told nothing more. */
export interface FlowReader {
  head(head: AnswerHead): void;
  data(piece: Buffer): void;
  end(): void;
  broken(): void;
}

/** About what Node and the system hold of an answer for a reader that takes nothing, before its writer is asked to wait. */
const mostHeldBytes = 256 * 1024;

/**
 * What lies between those who write an answer and those who read it, as two sockets do: bytes come in order, never within the call that wrote
 * them, and wait while the reader has paused. It takes no time.
 */
export class Flow {
  readonly #reader: FlowReader;
  /** The most that is read at once. */
  readonly #pieceBytes: number;
  #head: AnswerHead | null = null;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #ending: 'end' | 'broken' | null = null;
  #isPaused = false;
  #isDelivering = false;
  #isOver = false;
  #onDrain: (() => void) | null = null;

  constructor(reader: FlowReader, pieceBytes: number) {
    this.#reader = reader;
    this.#pieceBytes = pieceBytes;
  }

  /** Nothing is read any more: all has been, or nobody is there. */
  get isOver(): boolean {
    return this.#isOver;
  }

  head(head: AnswerHead): void {
    this.#head = head;
    this.#deliverSoon();
  }

  /** False asks the writer to wait until it has drained. */
  write(bytes: Buffer): boolean {
    if (this.#isOver) return true;
    if (bytes.length > 0) this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    this.#deliverSoon();
    return this.#heldBytes < mostHeldBytes;
  }

  /** Calls once when all that was written has been read. */
  onDrain(call: () => void): void {
    this.#onDrain = call;
  }

  end(): void {
    this.#ending ??= 'end';
    this.#deliverSoon();
  }

  /** What was written before still arrives. */
  break(): void {
    this.#ending ??= 'broken';
    this.#deliverSoon();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#deliverSoon();
  }

  /** The reader is gone. */
  close(): void {
    this.#isOver = true;
    this.#held = [];
    this.#onDrain = null;
  }

  #deliverSoon(): void {
    if (this.#isDelivering || this.#isOver) return;
    this.#isDelivering = true;
    queueMicrotask(() => {
      this.#isDelivering = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    if (this.#head !== null && !this.#isOver) {
      const head = this.#head;
      this.#head = null;
      this.#reader.head(head);
    }
    while (!this.#isPaused && !this.#isOver) {
      const piece = this.#takePiece();
      if (piece === null) break;
      this.#reader.data(piece);
    }
    if (!this.#isPaused && !this.#isOver) this.#drained();
  }

  #takePiece(): Buffer | null {
    const [first] = this.#held;
    if (first === undefined) return null;
    const piece = first.subarray(0, this.#pieceBytes);
    if (piece.length === first.length) this.#held.shift();
    else this.#held[0] = first.subarray(piece.length);
    this.#heldBytes -= piece.length;
    return piece;
  }

  #drained(): void {
    if (this.#ending !== null) {
      this.close();
      this.#reader[this.#ending]();
      return;
    }
    const call = this.#onDrain;
    this.#onDrain = null;
    call?.();
  }
}
