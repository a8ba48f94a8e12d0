const quote = 0x22;
const backslash = 0x5c;
const zero = 0x30;
const comma = 0x2c;
const colon = 0x3a;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/**
 * Finds a member of a JSON object without parsing the rest: the gateway reads a few facts from bodies that are mostly numbers, and
 * relays the bytes as they came. Returns where the value begins, or -1 when there is none or the text is no object up to there.
 * The first member of that name counts; the name is of ASCII characters. It does not validate: whoever computes on the body does.
 */
export function findMember(json: Uint8Array, objectAt: number, name: string): number {
  let at = skipSpace(json, objectAt);
  if (json[at] !== openBrace) return -1;
  at = skipSpace(json, at + 1);
  while (json[at] === quote) {
    const keyEnd = skipString(json, at);
    const colonAt = skipSpace(json, keyEnd);
    if (json[colonAt] !== colon) return -1;
    const valueAt = skipSpace(json, colonAt + 1);
    if (isName(json, at + 1, keyEnd - 1, name)) return valueAt < json.length ? valueAt : -1;
    at = skipSpace(json, skipValue(json, valueAt));
    if (json[at] !== comma) return -1;
    at = skipSpace(json, at + 1);
  }
  return -1;
}

/** Where the first element of the array at `arrayAt` begins, or -1 when it is empty or no array. */
export function firstElement(json: Uint8Array, arrayAt: number): number {
  const at = skipSpace(json, arrayAt);
  if (json[at] !== openBracket) return -1;
  const elementAt = skipSpace(json, at + 1);
  return elementAt < json.length && json[elementAt] !== closeBracket ? elementAt : -1;
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
    }
  }
  return json.length;
}

function skipScalar(json: Uint8Array, at: number): number {
  let here = at;
  for (; here < json.length; here++) {
    const byte = json[here] ?? 0;
    if (byte === comma || byte === closeBrace || byte === closeBracket || byte <= 0x20) return here;
  }
  return here;
}

/** The offset behind the closing quote of the string that begins at `at`. */
function skipString(json: Uint8Array, at: number): number {
  for (let here = at + 1; here < json.length; here++) {
    const byte = json[here];
    if (byte === quote) return here + 1;
    if (byte === backslash) here += 1;
  }
  return json.length;
}

function skipSpace(json: Uint8Array, at: number): number {
  let here = at;
  for (let byte = json[here]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = json[here])
    here += 1;
  return here;
}

/** Compares a key's raw bytes; a key written with escapes is parsed first. */
function isName(json: Uint8Array, start: number, end: number, name: string): boolean {
  for (let here = start; here < end; here++) {
    if (json[here] === backslash) return parseValue(json, start - 1) === name;
    if (json[here] !== name.charCodeAt(here - start)) return false;
  }
  return end - start === name.length;
}
