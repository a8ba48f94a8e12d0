import { z } from 'zod';
import { duration, size, type Unit } from './units.ts';

/** The kinds of values the schema is made of. The error text of each is what a fault says was wanted. */

export const durationField = () => quantity(duration);
export const sizeField = () => quantity(size);

/** A non-empty text. */
export const textField = (wanted: string) => z.string({ error: wanted }).min(1, { error: wanted });

export const flagField = () => z.boolean({ error: 'true or false' });

export function wholeField(minimum: number, maximum: number) {
  const wanted =
    maximum === Number.MAX_SAFE_INTEGER
      ? `a whole number from ${minimum}`
      : `a whole number from ${minimum} to ${maximum}`;
  return z.int({ error: wanted }).min(minimum, { error: wanted }).max(maximum, { error: wanted });
}

/** 0 lets the system choose a free one. */
export const portField = () => wholeField(0, 65_535);

export const weightField = (wanted: string) =>
  z.number({ error: wanted }).positive({ error: wanted }).max(1e6, { error: wanted });

export function choiceField<const Names extends readonly [string, ...string[]]>(names: Names) {
  return z.enum(names, { error: `one of ${names.join(', ')}` });
}

/** A mapping in which every key must be known. For an unknown key the error text is the list of the known ones. */
export function mapping<Shape extends z.core.$ZodShape>(shape: Shape) {
  const keys = Object.keys(shape);
  const some = `a mapping with ${keys.slice(0, 4).join(', ')}${keys.length > 4 ? ', ...' : ''}`;
  return z.strictObject(shape, { error: (issue) => (issue.code === 'unrecognized_keys' ? keys.join(', ') : some) });
}

export const listOf = <Item extends z.core.$ZodType>(item: Item, wanted: string) => z.array(item, { error: wanted });

export const textMapping = (wanted: string) => z.record(z.string(), z.string({ error: 'a text' }), { error: wanted });

function quantity(unit: Unit) {
  return z
    .string({ error: unit.wanted })
    .regex(new RegExp(unit.pattern), { error: unit.wanted })
    .transform((text) => unit.parse(text) ?? 0);
}
