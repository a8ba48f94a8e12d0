import type { BufferRoom } from '../pipeline/buffer-room.ts';

/** What a piece takes besides its bytes: 260 in the heap were measured, and what is allotted outside of it. */
const pieceBytes = 400;

/** What is accounted for a piece of an answer that is kept. */
export function costOfPiece({ length }: Uint8Array): number {
  return pieceBytes + length;
}

/** A place in an answer: between what has been read and what has not. The last one has no bytes yet. */
export interface Place {
  /** What comes next. */
  bytes: Uint8Array | null;
  next: Place | null;
  /** Readers that stand here. */
  readers: number;
}

/** The pieces of an answer that somebody may still read, in one list in which each reader has its place. They are held within the room that everything has. */
export class KeptPieces {
  readonly #room: BufferRoom;
  #first: Place = newPlace();
  #last = this.#first;
  #heldBytes = 0;
  #keepsAll: boolean;

  constructor(room: BufferRoom, keepsAll: boolean) {
    this.#room = room;
    this.#keepsAll = keepsAll;
  }

  /** As accounted. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Where those stand that have the most to read. */
  get first(): Place {
    return this.#first;
  }

  /** The place of a new reader: nothing has been read. To be asked for as long as everything is kept, or nothing has come. */
  enter(): Place {
    this.#first.readers += 1;
    return this.#first;
  }

  /** Keeps another piece. False where there was no room for it: it is there nevertheless. */
  add(bytes: Uint8Array): boolean {
    const costBytes = costOfPiece(bytes);
    const hasRoom = this.#room.take(costBytes);
    if (!hasRoom) this.#room.hold(costBytes);
    this.#heldBytes += costBytes;
    this.#last.bytes = bytes;
    this.#last.next = newPlace();
    this.#last = this.#last.next;
    if (!this.#keepsAll) this.#forget();
    return hasRoom;
  }

  /** A reader goes on to the next place. */
  pass(place: Place): Place {
    if (place.next === null) return place;
    place.next.readers += 1;
    this.leave(place);
    return place.next;
  }

  /** A reader reads no more. */
  leave(place: Place): void {
    place.readers -= 1;
    if (!this.#keepsAll) this.#forget();
  }

  /** Keeps from now on what somebody has still to read, and nothing else: nobody new comes. */
  keepUnread(): void {
    this.#keepsAll = false;
    this.#forget();
  }

  #forget(): void {
    for (
      let place = this.#first;
      place.readers === 0 && place.bytes !== null && place.next !== null;
      place = this.#first
    ) {
      const costBytes = costOfPiece(place.bytes);
      this.#heldBytes -= costBytes;
      this.#room.giveBack(costBytes);
      this.#first = place.next;
    }
  }
}

function newPlace(): Place {
  return { bytes: null, next: null, readers: 0 };
}
