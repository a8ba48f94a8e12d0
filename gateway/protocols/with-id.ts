import type { GatewayError } from '../kernel/errors.ts';
import { type HeaderList, headerInList } from '../pipeline/headers.ts';
import { PassingBody } from '../pipeline/passing-body.ts';
import { type Body, type BodyEnd, bytesBody, type Reply } from '../pipeline/reply.ts';
import { grownBytes, type Splice, spliced, withLengths } from './splice.ts';

/** How the id in a JSON text becomes another. */
export interface IdChange {
  /** Finds what is to be changed; null for nothing, as far as the text goes. In one that is not whole, more may come behind it. */
  find(json: Uint8Array, isWhole: boolean): Splice | null;
  /** No text gets longer by more. */
  readonly mostGrownBytes: number;
}

/**
 * An answer in JSON with another id and every other byte as it came. Of one that still comes, the length is told before its id is known:
 * it gets room for the longest, and what is left of that is spaces. `jsonLengthHeader` says where the JSON ends if anything is behind it.
 */
export function withId(reply: Reply, change: IdChange, jsonLengthHeader = 'content-length'): Reply {
  const { headers, body } = reply;
  const jsonBytes = jsonBytesOf(headers, jsonLengthHeader);
  const lengthHeaders = ['content-length', jsonLengthHeader];
  if (body.bytes === undefined) {
    const grown = withLengths(headers, lengthHeaders, change.mostGrownBytes);
    return { ...reply, headers: grown, body: new ComingId(body, change, jsonBytes) };
  }
  const splice = change.find(body.bytes.subarray(0, jsonBytes), true);
  if (splice === null) return reply;
  return {
    ...reply,
    headers: withLengths(headers, lengthHeaders, grownBytes(splice)),
    body: bytesBody(spliced(body.bytes, splice)),
  };
}

function jsonBytesOf(headers: HeaderList, header: string): number {
  const bytes = headerInList(headers, header);
  return bytes === null ? Number.POSITIVE_INFINITY : Number(bytes) || 0;
}

const nowhere: Splice = { start: 0, end: 0, by: new Uint8Array(0) };

class ComingId extends PassingBody {
  readonly #change: IdChange;
  readonly #jsonBytes: number;
  /** What has come before the id was found; null from then on. */
  #held: Uint8Array[] | null = [];
  #heldBytes = 0;
  /** Looked for again when twice as much has come: its cost stays in proportion. */
  #lookAtBytes = 1;

  constructor(inner: Body, change: IdChange, jsonBytes: number) {
    super(inner);
    this.#change = change;
    this.#jsonBytes = jsonBytes;
  }

  override get sizeBytes(): number | null {
    const bytes = super.sizeBytes;
    return bytes === null ? null : bytes + this.#change.mostGrownBytes;
  }

  override chunk(bytes: Uint8Array): boolean {
    if (this.#held === null) return this.passOn(bytes);
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    return this.#heldBytes < this.#lookAtBytes || this.#look(this.#held, this.#heldBytes >= this.#jsonBytes);
  }

  /** Of an answer that breaks off here, nothing is passed on: it can still be refused. */
  override end(how: BodyEnd, why?: GatewayError): void {
    this.passEnd(how, why, () => {
      if (how === 'complete' && this.#held !== null) this.#look(this.#held, true);
    });
  }

  #look(held: readonly Uint8Array[], isWhole: boolean): boolean {
    const text = Buffer.concat(held);
    const splice = this.#change.find(text.subarray(0, this.#jsonBytes), isWhole);
    if (splice === null && !isWhole) {
      this.#lookAtBytes = Math.min(2 * text.length, this.#jsonBytes);
      return true;
    }
    this.#held = null;
    return this.passOn(spliced(text, this.#padded(splice ?? nowhere)));
  }

  #padded(splice: Splice): Splice {
    const room = Buffer.alloc(this.#change.mostGrownBytes - grownBytes(splice), ' ');
    return { ...splice, by: Buffer.concat([splice.by, room]) };
  }
}
