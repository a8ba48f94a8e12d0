import { GatheredBytes } from './gathered-bytes.ts';

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** Reads the events of a stream that comes in pieces, wherever it is cut. */
export class EventReader {
  readonly #held = new GatheredBytes();
  #lineBytes = 0;
  #isBehindReturn = false;

  /** The events that a piece ends, each as its lines of text. */
  take(piece: Uint8Array): string[] {
    const events: string[] = [];
    let from = 0;
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at];
      const isEndOfReturn = byte === lineFeed && this.#isBehindReturn;
      this.#isBehindReturn = byte === carriageReturn;
      if (isEndOfReturn) continue;
      if (byte !== lineFeed && byte !== carriageReturn) {
        this.#lineBytes += 1;
        continue;
      }
      if (this.#lineBytes === 0) {
        this.#held.add(piece.subarray(from, at));
        events.push(this.rest());
        from = at;
      }
      this.#lineBytes = 0;
    }
    this.#held.add(piece.subarray(from));
    return events;
  }

  /** What has come of an event that has not ended. */
  rest(): string {
    const text = this.#held.bytes.toString();
    this.#held.keepLast(0);
    return text;
  }
}
