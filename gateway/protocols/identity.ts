import type { Identity } from '../pipeline/protocol.ts';
import { findMembers, parseValue, skipValue } from './json-skim.ts';

/** To compare longer texts by what they say would hold up everybody else: they are compared as they are written. */
const mostCanonicalBytes = 64 * 1024;

interface Content {
  readonly json: Uint8Array;
  /** Bytes that come with it. */
  readonly raw?: Uint8Array;
  /** Members of the outermost object that change no answer. */
  readonly without: readonly string[];
  /** Headers that say where the one ends and the other begins. */
  readonly framing?: readonly string[];
  readonly isDeterministic: boolean;
}

/** The identity of a request in JSON. Null where a long one cannot be understood. */
export function identityOfJson({ json, raw, without, framing = [], isDeterministic }: Content): Identity | null {
  const rest = raw === undefined ? [] : [raw];
  if (json.length <= mostCanonicalBytes) return { json, without, raw: rest, framing, isDeterministic };
  const pieces = piecesAround(json, without);
  return pieces === null ? null : { json: null, without, raw: [...pieces, ...rest], framing, isDeterministic };
}

/** A text without the values of some members of its outermost object. */
function piecesAround(json: Uint8Array, names: readonly string[]): Uint8Array[] | null {
  const { at, isWhole, twice } = findMembers(json, 0, names);
  if (!isWhole || twice !== null) return null;
  const starts = Object.values(at)
    .filter((start) => start >= 0)
    .toSorted((a, b) => a - b);
  const pieces: Uint8Array[] = [];
  let from = 0;
  for (const start of starts) {
    pieces.push(json.subarray(from, start));
    from = skipValue(json, start);
  }
  return [...pieces, json.subarray(from)];
}

/** Whether an object of sampling parameters leaves nothing to chance: a temperature of zero, or a seed. */
export function isSamplingFixed(json: Uint8Array, objectAt: number): boolean {
  const { at, twice } = findMembers(json, objectAt, ['temperature', 'seed']);
  if (twice !== null) return false;
  if (at.temperature >= 0 && parseValue(json, at.temperature) === 0) return true;
  return at.seed >= 0 && Number.isInteger(parseValue(json, at.seed));
}
