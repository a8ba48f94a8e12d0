import type { GatewayError } from '../kernel/errors.ts';
import { headerInList, withoutHeaders } from '../pipeline/headers.ts';
import { PassingBody } from '../pipeline/passing-body.ts';
import { type Body, type BodyEnd, bytesBody, type Reply } from '../pipeline/reply.ts';
import { grownBytes, type Splice, spliced, withLengths } from './splice.ts';

/** How the id in a JSON text becomes another. */
export interface IdChange {
  /** Finds what is to be changed; null for nothing, as far as the text goes. In one that is not whole, more may come behind it. */
  find(json: Uint8Array, isWhole: boolean): Splice | null;
}

/** JSON with something else behind it. */
interface Front {
  /** The header that says how long it is. */
  readonly lengthHeader: string;
  /** An id makes it longer by no more. */
  readonly mostGrownBytes: number;
}

/**
 * An answer in JSON with another id and every other byte as it came. While one still comes, its length is not known any more, unless it is
 * the front of more: then it is told before the id is found, with room for the longest, and what is left of the room is spaces.
 */
export function withId(reply: Reply, change: IdChange, front: Front | null = null): Reply {
  const { headers, body } = reply;
  const frontBytes = front === null ? null : headerInList(headers, front.lengthHeader);
  const jsonBytes = frontBytes === null ? Number.POSITIVE_INFINITY : Number(frontBytes) || 0;
  const lengthHeaders = ['content-length', front?.lengthHeader ?? ''];
  if (body.bytes !== undefined) {
    const splice = change.find(body.bytes.subarray(0, jsonBytes), true);
    if (splice === null) return reply;
    const grown = withLengths(headers, lengthHeaders, grownBytes(splice));
    return { ...reply, headers: grown, body: bytesBody(spliced(body.bytes, splice)) };
  }
  const roomBytes = frontBytes === null ? null : (front?.mostGrownBytes ?? 0);
  const grown =
    roomBytes === null
      ? withoutHeaders(headers, (name) => name === 'content-length')
      : withLengths(headers, lengthHeaders, roomBytes);
  return { ...reply, headers: grown, body: new ComingId(body, change, { jsonBytes, roomBytes }) };
}

interface Room {
  readonly jsonBytes: number;
  /** By which the JSON gets longer, whatever its id is; null where that may be as it is. */
  readonly roomBytes: number | null;
}

const nowhere: Splice = { start: 0, end: 0, by: new Uint8Array(0) };

class ComingId extends PassingBody {
  readonly #change: IdChange;
  readonly #room: Room;
  /** What has come before the id was found; null from then on. */
  #held: Uint8Array[] | null = [];
  #heldBytes = 0;
  /** Looked for again when twice as much has come: its cost stays in proportion. */
  #lookAtBytes = 1;

  constructor(inner: Body, change: IdChange, room: Room) {
    super(inner);
    this.#change = change;
    this.#room = room;
  }

  override get sizeBytes(): number | null {
    const bytes = super.sizeBytes;
    const { roomBytes } = this.#room;
    return bytes === null || roomBytes === null ? null : bytes + roomBytes;
  }

  override chunk(bytes: Uint8Array): boolean {
    if (this.#held === null) return this.passOn(bytes);
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    return this.#heldBytes < this.#lookAtBytes || this.#look(this.#held, this.#heldBytes >= this.#room.jsonBytes);
  }

  /** Of an answer that breaks off here, nothing is passed on: it can still be refused. */
  override end(how: BodyEnd, why?: GatewayError): void {
    this.passEnd(how, why, () => {
      if (how === 'complete' && this.#held !== null) this.#look(this.#held, true);
    });
  }

  #look(held: readonly Uint8Array[], isWhole: boolean): boolean {
    const text = Buffer.concat(held);
    const { jsonBytes } = this.#room;
    const splice = this.#change.find(text.subarray(0, jsonBytes), isWhole);
    if (splice === null && !isWhole) {
      this.#lookAtBytes = Math.min(2 * text.length, jsonBytes);
      return true;
    }
    this.#held = null;
    const piece = spliced(text, this.#padded(splice ?? nowhere));
    return piece.length === 0 || this.passOn(piece);
  }

  #padded(splice: Splice): Splice {
    const { roomBytes } = this.#room;
    if (roomBytes === null) return splice;
    return { ...splice, by: Buffer.concat([splice.by, Buffer.alloc(roomBytes - grownBytes(splice), ' ')]) };
  }
}
