import { isUtf8 } from 'node:buffer';

/**
 * JSON in the one form that RFC 8785 gives to all texts that say the same, without some members of its outermost object. Null where there
 * is no such form: malformed texts, a name twice in one object (servers differ in which they take), numbers of which a double holds only
 * the nearest, and minus zero, whose sign a model may see.
 */
export function canonicalJson(json: Uint8Array, without: readonly string[]): string | null {
  if (!isUtf8(json)) return null;
  const text = Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString();
  const writer = new Writer();
  try {
    const value: unknown = JSON.parse(text);
    const canonical = writer.write(value, 0, without);
    // What is written again as it came has lost nothing. Else, of a name that is there twice, parsing kept one.
    const isSound = JSON.stringify(value) === text || countMembers(text) === writer.memberCount;
    return isSound ? canonical : null;
  } catch {
    return null;
  }
}

/** It is gone down by recursion. */
const deepest = 500;

const nothing: readonly string[] = [];

class Writer {
  memberCount = 0;

  write(value: unknown, depth = 0, without = nothing): string {
    if (typeof value === 'string') return textOf(value);
    if (typeof value !== 'object' || value === null) return String(value);
    if (depth === deepest) throw new RangeError('too deep');
    return Array.isArray(value) ? this.#list(value, depth + 1) : this.#object(value, depth + 1, without);
  }

  #list(values: readonly unknown[], depth: number): string {
    let json = '[';
    for (let at = 0; at < values.length; at++) json += (at > 0 ? ',' : '') + this.write(values[at], depth);
    return `${json}]`;
  }

  /** The names in the order of their code units, which is how `sort` has them. */
  #object(value: object, depth: number, without: readonly string[]): string {
    const members = value as Readonly<Record<string, unknown>>;
    const names = Object.keys(members).sort();
    this.memberCount += names.length;
    let json = '';
    for (const name of names) {
      const written = this.write(members[name], depth);
      if (!without.includes(name)) json += `${json === '' ? '' : ','}${textOf(name)}:${written}`;
    }
    return `{${json}}`;
  }
}

function textOf(value: string): string {
  if (!value.isWellFormed()) throw new RangeError('half a character');
  return JSON.stringify(value);
}

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;

/** The members of all objects in a well-formed text. Throws at a number that is not exact. */
function countMembers(json: string): number {
  let count = 0;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === colon) count += 1;
    else if (code === quote) at = endOfString(json, at);
    else if (isInNumber(code)) at = endOfNumber(json, at);
  }
  return count;
}

/** Where the closing quote stands. */
function endOfString(json: string, openAt: number): number {
  let at = openAt;
  let escapes: number;
  do {
    at = json.indexOf('"', at + 1);
    escapes = 0;
    while (json.charCodeAt(at - escapes - 1) === backslash) escapes += 1;
  } while (escapes % 2 === 1);
  return at;
}

/** A decimal of so many signs is exact, but for minus zero and those with a power. */
const mostExactSigns = 15;

/** Where the last digit stands. */
function endOfNumber(json: string, firstAt: number): number {
  let at = firstAt;
  let hasPower = false;
  for (let code = json.charCodeAt(at); isInNumber(code) || isPower(code); code = json.charCodeAt(at)) {
    hasPower ||= isPower(code);
    at += 1;
  }
  if (hasPower || at - firstAt > mostExactSigns || json.startsWith('-0', firstAt))
    requireExact(json.slice(firstAt, at));
  return at - 1;
}

/** Digits, signs and the point, among what stands outside of texts. */
function isInNumber(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x2e || code === 0x2b;
}

function isPower(code: number): boolean {
  return (code | 0x20) === 0x65;
}

/** The decimal that is written must be the one that its double is written as. */
function requireExact(written: string): void {
  const value = Number(written);
  const canonical = String(value);
  if (written !== canonical && (Object.is(value, -0) || decimal(written) !== decimal(canonical)))
    throw new RangeError('a number that a double does not hold');
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
