const quote = 0x22;
const backslash = 0x5c;
const zero = 0x30;
const comma = 0x2c;
const colon = 0x3a;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** Bytes that stand nowhere in JSON but in strings. Some servers read more than JSON (comments, other quotes) and would see other members than this walk. */
const isStrange = new Uint8Array(256).fill(1);
for (const byte of Buffer.from(' \t\n\r"+-.:,[]{}_')) isStrange[byte] = 0;
for (const byte of Buffer.from('0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ')) isStrange[byte] = 0;

/**
 * Finds a member of a JSON object without parsing the rest: the gateway reads a few facts from bodies that are mostly numbers, and
 * relays the bytes as they came. Returns where the value begins, or -1 when there is none or the text is no object up to there.
 * The first member of that name counts; the name is of ASCII characters. It does not validate: whoever computes on the body does.
 */
export function findMember(json: Uint8Array, objectAt: number, name: string): number {
  let keyAt = firstKey(json, objectAt);
  while (keyAt >= 0) {
    const valueAt = valueBehind(json, keyAt);
    if (valueAt < 0 || isName(json, keyAt, name)) return valueAt;
    keyAt = keyBehind(json, skipSpace(json, skipValue(json, valueAt)));
  }
  return -1;
}

/** Where the values of some members begin, -1 for those that are not there. */
export interface Members<Name extends string> {
  readonly at: Readonly<Record<Name, number>>;
  /** Where they end: the offset behind each of them. */
  readonly end: Readonly<Record<Name, number>>;
  /** Whether the walk came to the end of an object with nothing behind it: what it did not understand ends it early. */
  readonly isWhole: boolean;
  /** A name that occurs more than once, in whatever case. Servers differ in which of them they take. */
  readonly twice: Name | null;
}

/** Finds several members in one walk through the whole object, and notices those that are given more than once. */
export function findMembers<Name extends string>(
  json: Uint8Array,
  objectAt: number,
  names: readonly Name[],
): Members<Name> {
  const at = Object.fromEntries(names.map((name) => [name, -1])) as Record<Name, number>;
  const end = { ...at };
  const seen = new Set<Name>();
  let twice: Name | null = null;
  let here = skipSpace(json, skipSpace(json, objectAt) + 1);
  let keyAt = firstKey(json, objectAt);
  while (keyAt >= 0) {
    const valueAt = valueBehind(json, keyAt);
    if (valueAt < 0) break;
    const valueEnd = skipValue(json, valueAt);
    for (const name of names) {
      if (!isName(json, keyAt, name, caseBit)) continue;
      if (seen.has(name)) twice ??= name;
      seen.add(name);
      if (!isName(json, keyAt, name)) continue;
      at[name] = valueAt;
      end[name] = valueEnd;
    }
    here = skipSpace(json, valueEnd);
    keyAt = keyBehind(json, here);
  }
  const isWhole = json[here] === closeBrace && skipSpace(json, here + 1) === json.length;
  return { at, end, isWhole, twice };
}

/** Where the first key of an object begins, with its quote, or -1. */
function firstKey(json: Uint8Array, objectAt: number): number {
  const at = skipSpace(json, objectAt);
  return json[at] === openBrace ? keyFrom(json, at + 1) : -1;
}

/** Where the key behind a comma at `at` begins, or -1 where there stands none. */
function keyBehind(json: Uint8Array, at: number): number {
  return json[at] === comma ? keyFrom(json, at + 1) : -1;
}

function keyFrom(json: Uint8Array, from: number): number {
  const at = skipSpace(json, from);
  return json[at] === quote ? at : -1;
}

/** Where the value of the key at `keyAt` begins, or -1. */
function valueBehind(json: Uint8Array, keyAt: number): number {
  const colonAt = skipSpace(json, skipString(json, keyAt));
  if (json[colonAt] !== colon) return -1;
  const valueAt = skipSpace(json, colonAt + 1);
  return valueAt < json.length ? valueAt : -1;
}

/** Where the first element of the array at `arrayAt` begins, or -1 when it is empty or no array. */
export function firstElement(json: Uint8Array, arrayAt: number): number {
  const at = skipSpace(json, arrayAt);
  if (json[at] !== openBracket) return -1;
  const elementAt = skipSpace(json, at + 1);
  return elementAt < json.length && json[elementAt] !== closeBracket ? elementAt : -1;
}

/** How many elements the array at `arrayAt` has; 0 where there stands no array. What is cut off counts as far as it goes. */
export function countElements(json: Uint8Array, arrayAt: number): number {
  let count = 0;
  let at = firstElement(json, arrayAt);
  while (at >= 0 && at < json.length) {
    count += 1;
    at = skipSpace(json, skipValue(json, at));
    at = json[at] === comma ? skipSpace(json, at + 1) : -1;
  }
  return count;
}

/** The whole number at `at`, or null when there stands anything else. */
export function wholeNumberAt(json: Uint8Array, at: number): number | null {
  const end = skipScalar(json, at);
  if (end === at || end - at > 15) return null;
  let value = 0;
  for (let here = at; here < end; here++) {
    const digit = (json[here] ?? 0) - zero;
    if (digit < 0 || digit > 9) return null;
    value = value * 10 + digit;
  }
  return value;
}

/** The value at `at`, parsed, or undefined when it is cut off or malformed. Meant for small values. */
export function parseValue(json: Uint8Array, at: number): unknown {
  const end = skipValue(json, at);
  try {
    return JSON.parse(Buffer.from(json.buffer, json.byteOffset + at, end - at).toString());
  } catch {
    return undefined;
  }
}

/** Where the value that begins at `at` ends (the offset behind its last byte). At the end of the text when it is cut off. */
export function skipValue(json: Uint8Array, at: number): number {
  const first = json[at];
  if (first === quote) return skipString(json, at);
  if (first !== openBrace && first !== openBracket) return skipScalar(json, at);
  let depth = 0;
  for (let here = at; here < json.length; here++) {
    const byte = json[here];
    if (byte === quote) here = skipString(json, here) - 1;
    else if (byte === openBrace || byte === openBracket) depth += 1;
    else if (byte === closeBrace || byte === closeBracket) {
      depth -= 1;
      if (depth === 0) return here + 1;
    } else if (isStrange[byte ?? 0] === 1) return json.length;
  }
  return json.length;
}

function skipScalar(json: Uint8Array, at: number): number {
  let here = at;
  for (; here < json.length; here++) {
    const byte = json[here] ?? 0;
    if (byte === comma || byte === closeBrace || byte === closeBracket || byte <= 0x20) return here;
    if (isStrange[byte] === 1) return json.length;
  }
  return here;
}

/** Strings are mostly short; in longer ones, such as images, the end is looked for by the machine's own means. */
const shortString = 64;

/** The offset behind the closing quote of the string that begins at `at`. */
function skipString(json: Uint8Array, at: number): number {
  const shortEnd = Math.min(json.length, at + shortString);
  let here = at + 1;
  for (; here < shortEnd; here++) {
    const byte = json[here];
    if (byte === quote) return here + 1;
    if (byte === backslash) here += 1;
  }
  while (here < json.length) {
    const quoteAt = json.indexOf(quote, here);
    if (quoteAt < 0) break;
    let escapes = 0;
    while (quoteAt - escapes > here && json[quoteAt - escapes - 1] === backslash) escapes += 1;
    if (escapes % 2 === 0) return quoteAt + 1;
    here = quoteAt + 1;
  }
  return json.length;
}

function skipSpace(json: Uint8Array, at: number): number {
  let here = at;
  for (let byte = json[here]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = json[here])
    here += 1;
  return here;
}

/** What upper and lower case of a letter differ in. */
const caseBit = 0x20;

/** Compares the key at `keyAt` with a name of letters and underscores, but for the bits of `mask`; a letter may be written as an escape. */
function isName(json: Uint8Array, keyAt: number, name: string, mask = 0): boolean {
  let at = keyAt + 1;
  for (let letter = 0; letter < name.length; letter++) {
    const isEscaped = json[at] === backslash;
    const code = isEscaped ? unicodeEscape(json, at) : (json[at] ?? 0);
    if ((code | mask) !== (name.charCodeAt(letter) | mask)) return false;
    at += isEscaped ? 6 : 1;
  }
  return json[at] === quote;
}

const lowerU = 0x75;

/** The code that `\u` and four digits at `at` stand for, or 0: the shorter escapes stand for no letter. */
function unicodeEscape(json: Uint8Array, at: number): number {
  if (json[at + 1] !== lowerU) return 0;
  let code = 0;
  for (let digitAt = at + 2; digitAt < at + 6; digitAt++) {
    const digit = Number.parseInt(String.fromCharCode(json[digitAt] ?? 0), 16);
    if (Number.isNaN(digit)) return 0;
    code = code * 16 + digit;
  }
  return code;
}
