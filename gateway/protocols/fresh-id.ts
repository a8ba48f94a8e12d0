import { newRequestId } from '../kernel/rng.ts';
import { findMember, parseValue, skipValue } from './json-skim.ts';
import type { Splice } from './splice.ts';
import type { IdChange } from './with-id.ts';

/** What says of what an id is, such as `chatcmpl-`; the first part of a UUID says nothing. */
const kind = /^(?![\da-f]{8}-)\w+-/i;

const quote = 0x22;
const emptyBytes = 2;

/** An id that no other answer has, in the place of the one that an answer came with, and of the same kind: one for all of its events. An empty id is none. */
export class FreshId implements IdChange {
  #id: string | null = null;
  /** The same in JSON. */
  #json: Uint8Array | null = null;

  /** The fresh id of the answer that came with the one given. */
  inPlaceOf(id: string): string {
    if (id === '') return id;
    this.#id ??= freshIdLike(id);
    return this.#id;
  }

  find(json: Uint8Array): Splice | null {
    const start = findMember(json, 0, 'id');
    if (start < 0 || json[start] !== quote) return null;
    const end = skipValue(json, start);
    // One that nothing stands behind is cut off.
    if (end >= json.length || end === start + emptyBytes) return null;
    this.#json ??= this.#jsonInPlaceOf(parseValue(json, start));
    return this.#json === null ? null : { start, end, by: this.#json };
  }

  #jsonInPlaceOf(id: unknown): Uint8Array | null {
    return typeof id === 'string' ? Buffer.from(`"${this.inPlaceOf(id)}"`) : null;
  }
}

function freshIdLike(id: string): string {
  const [prefix = ''] = kind.exec(id) ?? [];
  const drawn = newRequestId();
  return prefix + (id.includes('-', prefix.length) ? drawn : drawn.replaceAll('-', ''));
}
