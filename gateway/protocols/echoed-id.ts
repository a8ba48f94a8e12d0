import { findMember, parseValue, skipValue } from './json-skim.ts';
import type { Splice } from './splice.ts';
import type { IdChange } from './with-id.ts';

/** Around an id that is added: `"id":` and a comma. */
const frameBytes = 6;

const nothing = new Uint8Array(0);
const quote = 0x22;
const comma = 0x2c;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** The id that a request has, in an answer to it: in the place of the one there, added where there is none, and none where the request has none. */
export class EchoedId implements IdChange {
  /** No answer gets longer by more. */
  readonly mostGrownBytes: number;
  /** In JSON. */
  readonly #own: Uint8Array | null;

  constructor(request: Uint8Array) {
    const at = findMember(request, 0, 'id');
    const id = at < 0 ? null : parseValue(request, at);
    this.#own = typeof id === 'string' ? Buffer.from(JSON.stringify(id)) : null;
    this.mostGrownBytes = this.#own === null ? 0 : this.#own.length + frameBytes;
  }

  find(json: Uint8Array, isWhole: boolean): Splice | null {
    const start = findMember(json, 0, 'id');
    if (start < 0) return isWhole && this.#own !== null ? added(json, this.#own) : null;
    const end = skipValue(json, start);
    const nextAt = skipSpace(json, end, 1);
    if (nextAt >= json.length) return null;
    return this.#own === null ? removed(json, start, end, nextAt) : { start, end, by: this.#own };
  }
}

/** In front of all members; null where there is no object. */
function added(json: Uint8Array, id: Uint8Array): Splice | null {
  const openAt = skipSpace(json, 0, 1);
  if (json[openAt] !== openBrace) return null;
  const isEmpty = json[skipSpace(json, openAt + 1, 1)] === closeBrace;
  const by = Buffer.concat([Buffer.from('"id":'), id, Buffer.from(isEmpty ? '' : ',')]);
  return { start: openAt + 1, end: openAt + 1, by };
}

/** With its name, and the comma that parted it from another member. */
function removed(json: Uint8Array, valueAt: number, valueEnd: number, nextAt: number): Splice {
  const nameEnd = skipSpace(json, skipSpace(json, valueAt - 1, -1) - 1, -1);
  const nameAt = json.lastIndexOf(quote, nameEnd - 1);
  if (json[nextAt] === comma) return { start: nameAt, end: nextAt + 1, by: nothing };
  const beforeAt = skipSpace(json, nameAt - 1, -1);
  return { start: json[beforeAt] === comma ? beforeAt : nameAt, end: valueEnd, by: nothing };
}

/** The first place, in steps of 1 or -1, where no space stands. */
function skipSpace(json: Uint8Array, from: number, step: 1 | -1): number {
  let at = from;
  for (let byte = json[at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = json[at])
    at += step;
  return at;
}
