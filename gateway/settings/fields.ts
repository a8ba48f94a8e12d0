import { z } from 'zod';
import { duration, quantile, rate, share, size, throughput, type Unit } from './units.ts';

/** The kinds of values the schema is made of. The error text of each is what a fault says was wanted. */

/** Timers hold no more than 2^31 - 1 ms and fire at once beyond. */
const longestMs = 24 * 86_400_000;

/** Beyond what any one machine sends. */
const highestRate = 10_000_000;

/** A length of time in milliseconds; zero means at once. */
export const durationField = () => quantity(duration, [0, longestMs, 'a duration up to 24d']);

/** A length of time in milliseconds that limits or repeats something, and which zero would make senseless. */
export const periodField = () => quantity(duration, [1, longestMs, 'a duration from 1ms to 24d']);

/** The same, or `none` for no limit: Infinity. */
export const limitField = () => {
  const wanted = 'a duration from 1ms to 24d, or none';
  const none = z.literal('none', { error: wanted }).transform(() => Number.POSITIVE_INFINITY);
  return z.union([none, quantity(duration, [1, longestMs, wanted])], { error: wanted });
};

/** How long to wait for something before more is done: a quantile of how long it has lately taken, or a duration. */
export const patienceField = () => {
  const wanted = 'a quantile from p50 to p99.9, or a duration from 1ms to 24d';
  const byQuantile = quantity({ ...quantile, wanted }, [0, 1, wanted]);
  const byDelay = quantity({ ...duration, wanted }, [1, longestMs, wanted]);
  return z.union(
    [
      byQuantile.transform((value) => ({ kind: 'quantile' as const, quantile: value })),
      byDelay.transform((delayMs) => ({ kind: 'delay' as const, delayMs })),
    ],
    { error: wanted },
  );
};

/** A number of bytes, at least one. */
export const sizeField = () => quantity(size, [1, Number.MAX_SAFE_INTEGER, 'a size from 1B to 8388607GiB']);

/** A number of events a second; zero for silence. */
export const rateField = () => quantity(rate, [0, highestRate, `a rate up to ${highestRate}/s`]);

/** The same for a rate that zero would make senseless. */
export const positiveRateField = () =>
  quantity(rate, [Number.MIN_VALUE, highestRate, `a rate above 0, up to ${highestRate}/s`]);

/** A number of bytes a second, at least one. */
export const throughputField = () =>
  quantity(throughput, [1, Number.MAX_SAFE_INTEGER, 'a throughput from 1B/s to 8388607GiB/s']);

/** A number from 0 to 1. */
export const shareField = () => quantity(share, [0, 1, 'a share from 0% to 100%']);

/** A non-empty text. */
export const textField = (wanted: string) => z.string({ error: wanted }).min(1, { error: wanted });

/** True or false. */
export const flagField = () => z.boolean({ error: 'true or false' });

/** A whole number within bounds, or from a bound upwards. */
export function wholeField(minimum: number, maximum?: number) {
  const wanted = `a whole number from ${minimum}${maximum === undefined ? '' : ` to ${maximum}`}`;
  // Beyond the integers that a number holds exactly, zod itself draws the line.
  const field = z.int({ error: wanted }).min(minimum, { error: wanted });
  return maximum === undefined ? field : field.max(maximum, { error: wanted });
}

/** A number within bounds, whole or not. */
export function numberField(minimum: number, maximum: number, wanted = `a number from ${minimum} to ${maximum}`) {
  return z.number({ error: wanted }).min(minimum, { error: wanted }).max(maximum, { error: wanted });
}

/** 0 lets the system choose a free one. */
export const portField = () => wholeField(0, 65_535);

const heaviest = 1_000_000;

/** A share in proportion to others. */
export const weightField = () =>
  z
    .number({ error: 'a number above 0' })
    .positive({ error: 'a number above 0' })
    .max(heaviest, { error: `a number up to ${heaviest}` });

/** One of some names. */
export function choiceField<const Names extends readonly [string, ...string[]]>(names: Names) {
  return z.enum(names, { error: `one of ${names.join(', ')}` });
}

/** A mapping in which every key must be known. For an unknown key the error text is the list of the known ones. */
export function mapping<Shape extends z.core.$ZodShape>(shape: Shape) {
  const keys = Object.keys(shape);
  const some = `a mapping with ${keys.slice(0, 4).join(', ')}${keys.length > 4 ? ', ...' : ''}`;
  return z.strictObject(shape, { error: (issue) => (issue.code === 'unrecognized_keys' ? keys.join(', ') : some) });
}

/** The key by which a mapping of one of several kinds says which it is, and what that means. */
export const kindField = <const Name extends string>(name: Name, meaning: string) => z.literal(name).describe(meaning);

/** A mapping of one of several kinds, which its key `kind` tells: each kind has keys of its own. */
export function kindsOf<const Kinds extends readonly [Kind, ...Kind[]]>(kinds: Kinds) {
  const names = kinds.map(({ shape }) => shape.kind.value).join(', ');
  return z.discriminatedUnion('kind', kinds, {
    error: (issue) => (issue.code === 'invalid_union' ? `one of ${names}` : 'a mapping with kind, ...'),
  });
}

type Kind = z.ZodObject<{ kind: z.ZodLiteral<string> }, z.core.$strict>;

/** A list of one kind of items. */
export const listOf = <Item extends z.core.$ZodType>(item: Item, wanted: string) => z.array(item, { error: wanted });

/** A mapping from names that users choose to texts. */
export const textMapping = (wanted: string) => z.record(z.string(), z.string({ error: 'a text' }), { error: wanted });

/** A text with a unit whose value lies within bounds; `wanted` tells the bounds. */
function quantity(unit: Unit, [least, most, wanted]: readonly [least: number, most: number, wanted: string]) {
  return z
    .string({ error: unit.wanted })
    .regex(new RegExp(unit.pattern), { error: unit.wanted })
    .transform((text) => unit.parse(text) ?? 0)
    .refine((value) => value >= least && value <= most, { error: wanted });
}
