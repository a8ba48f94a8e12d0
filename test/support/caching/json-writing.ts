import fc from 'fast-check';

/** A value of JSON whose objects have no name twice. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Writes a value in one of the many ways that JSON lets it be written: members in another order, spaces anywhere, letters as escapes, numbers in other forms. */
export type Pen = (value: Json) => string;

/** Pens that write differently. */
export const pens: fc.Arbitrary<Pen> = pensThatEscape(/./su);

/** The same, that write only such characters as escapes. */
export function pensThatEscape(characters: RegExp): fc.Arbitrary<Pen> {
  return fc.infiniteStream(fc.nat(1000)).map((draws) => penOf(draws, characters));
}

function penOf(draws: Iterator<number>, characters: RegExp): Pen {
  const below = (count: number): number => (draws.next().value ?? 0) % count;
  const space = (): string => ['', '', ' ', '\n', '\t \r\n'][below(5)] ?? '';
  const write: Pen = (value) => space() + bare(value) + space();
  const bare = (value: Json): string => {
    if (typeof value === 'string') return text(value);
    if (typeof value === 'number') return number(value);
    if (value === null || typeof value === 'boolean') return String(value);
    if (isList(value)) return `[${value.map(write).join(',')}]`;
    const members = Object.entries(value).map((member) => ({ member, place: below(1000) }));
    const shuffled = members.toSorted((a, b) => a.place - b.place).map(({ member }) => member);
    return `{${shuffled.map(([name, one]) => `${space()}${text(name)}${space()}:${write(one)}`).join(',')}}`;
  };
  const text = (value: string): string => {
    const signs =
      JSON.stringify(value)
        .slice(1, -1)
        .match(/\\(?:u[0-9a-f]{4}|.)|./gsu) ?? [];
    return `"${signs.map((sign) => (sign.startsWith('\\') || !characters.test(sign) || below(12) > 0 ? sign : escaped(sign))).join('')}"`;
  };
  const number = (value: number): string => {
    const plain = JSON.stringify(value);
    if (/e/i.test(plain)) return below(2) === 0 ? plain : plain.toUpperCase();
    const forms = [plain, plain, plain.includes('.') ? `${plain}00` : `${plain}.0`, `${plain}e0`, `${plain}E+0`];
    return forms[below(forms.length)] ?? plain;
  };
  return write;
}

function escaped(sign: string): string {
  return sign.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** Any value of JSON: what a double holds but minus zero, and texts of whole characters. */
export const anyJson: fc.Arbitrary<Json> = fc
  .jsonValue({ stringUnit: 'binary', maxDepth: 4 })
  .map((value) => JSON.parse(JSON.stringify(value)) as Json);

/** Another value for each place in a value: one that says something else there, or that has one member more, or less. */
export function* changes(value: Json): Generator<Json> {
  if (isList(value)) {
    yield [...value, null];
    for (const [at, one] of value.entries()) {
      yield value.filter((_, place) => place !== at);
      for (const changed of changes(one)) yield value.with(at, changed);
    }
  } else if (value !== null && typeof value === 'object') {
    yield { ...value, unheard_of: 1 };
    for (const [name, one] of Object.entries(value)) {
      const { [name]: _, ...others } = value;
      yield others;
      yield { ...others, [`${name}_`]: one };
      for (const changed of changes(one)) yield { ...value, [name]: changed };
    }
  } else if (typeof value === 'string') yield* [`${value} `, null];
  else if (typeof value === 'number') yield* [value === 0 ? 1 : value * 2, String(value)];
  else yield* [value === null ? false : !value, 'other'];
}
