import { isUtf8 } from 'node:buffer';
import canonicalize from 'canonicalize';

/**
 * JSON in the one form that RFC 8785 gives to all texts that say the same, without some members of its outermost object. Null where there
 * is no such form: malformed texts, a name twice in one object (servers differ in which they take), numbers of which a double holds only
 * the nearest, and minus zero, whose sign a model may see.
 */
export function canonicalJson(json: Uint8Array, without: readonly string[]): string | null {
  if (!isUtf8(json)) return null;
  const text = Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString();
  try {
    const value: unknown = JSON.parse(text);
    const members = countMembers(text);
    const [kept, left] = parted(value, without);
    const canonical = canonicalize(kept) ?? null;
    // Of a member that is there twice, parsing kept one.
    const isWhole = canonical !== null && members === countMembers(canonical) + countMembers(canonicalize(left) ?? '');
    return isWhole ? canonical : null;
  } catch {
    return null;
  }
}

function parted(value: unknown, without: readonly string[]): [kept: unknown, left: unknown] {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return [value, {}];
  const isLeft = ([name]: [string, unknown]): boolean => without.includes(name);
  const entries: [string, unknown][] = Object.entries(value);
  const left = entries.filter(isLeft);
  if (left.length === 0) return [value, {}];
  return [Object.fromEntries(entries.filter((entry) => !isLeft(entry))), Object.fromEntries(left)];
}

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
const minus = 0x2d;
const zero = 0x30;
const nine = 0x39;

/** The members of all objects in a well-formed text. Throws at a number that is not canonical. */
function countMembers(json: string): number {
  let count = 0;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === quote) at = endOfString(json, at);
    else if (code === colon) count += 1;
    else if (code === minus || (code >= zero && code <= nine)) {
      const end = endOfNumber(json, at);
      requireExact(json.slice(at, end));
      at = end - 1;
    }
  }
  return count;
}

/** Where the closing quote stands. */
function endOfString(json: string, openAt: number): number {
  let at = openAt + 1;
  for (let code = json.charCodeAt(at); code !== quote; code = json.charCodeAt(at)) at += code === backslash ? 2 : 1;
  return at;
}

function endOfNumber(json: string, from: number): number {
  let at = from + 1;
  while (/[\d.eE+-]/.test(json.charAt(at))) at += 1;
  return at;
}

/** The decimal that is written must be the one that its double is written as. */
function requireExact(written: string): void {
  const value = Number(written);
  const canonical = String(value);
  if (Object.is(value, -0) || (written !== canonical && decimal(written) !== decimal(canonical)))
    throw new RangeError('a number has no canonical form');
}

/** The same text for the same decimal, however it is written. */
function decimal(number: string): string {
  const [, sign = '', whole = '', fraction = '', power = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(number) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  return `${sign}${significant}e${Number(power) - fraction.length + digits.length - significant.length}`;
}
