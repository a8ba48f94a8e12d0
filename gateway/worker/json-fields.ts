import { wrongField } from './fault.ts';
import type { ModelMetadata } from './metadata.ts';

/** A JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

/** Whether a value of JSON is an object. */
export function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An object, or a `RequestFault`. */
export function readRecord(value: unknown, field: string): Fields {
  if (!isRecord(value)) throw wrongField(field, value, 'an object');
  return value;
}

/** A list, or a `RequestFault`. */
export function readList(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw wrongField(field, value, 'a list');
  return value;
}

/** Parameters hold texts, numbers and flags only. */
export function readParameters(value: unknown, field: string): Fields {
  if (value === undefined) return {};
  const parameters = readRecord(value, field);
  for (const [name, one] of Object.entries(parameters)) {
    if (!['string', 'number', 'bigint', 'boolean'].includes(typeof one))
      throw wrongField(`${field}.${name}`, one, 'a text, a number, true or false');
  }
  return parameters;
}

/** True or false; the fallback where nothing is said. */
export function readFlag(value: unknown, field: string, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value !== 'boolean') throw wrongField(field, value, 'true or false');
  return value;
}

const fatalUtf8 = new TextDecoder('utf-8', { fatal: true });

/** Parses the JSON of a request. Integers too long for a JavaScript number are kept whole, as BigInt, where the model takes 64-bit integers. */
export function parseMessage(json: Uint8Array, { inputs }: ModelMetadata): unknown {
  try {
    const text = fatalUtf8.decode(json);
    const mayHoldLongIntegers =
      inputs.some(({ datatype }) => datatype === 'INT64' || datatype === 'UINT64') && /\d{16}|\d[eE]/.test(text);
    return mayHoldLongIntegers ? JSON.parse(text, keepLongIntegers) : JSON.parse(text);
  } catch (cause) {
    throw wrongField(
      'body',
      cause instanceof Error ? cause.message : String(cause),
      'JSON in UTF-8; in front of binary data, its length in inference-header-content-length',
    );
  }
}

/** Above every 64-bit integer; and a literal longer than this stays a number, which is then refused as an integer. */
const beyondIntegers = 2 ** 65;
const longestLiteral = 100;

function keepLongIntegers(_key: string, value: unknown, { source }: { source?: string } = {}): unknown {
  if (typeof value !== 'number' || !Number.isInteger(value) || Number.isSafeInteger(value)) return value;
  if (source === undefined || source.length > longestLiteral || Math.abs(value) > beyondIntegers) return value;
  return wholeNumber(source) ?? value;
}

/** The whole number that a literal of JSON stands for, to the last digit, also when written with a point or an exponent. Null where it has a fraction. */
function wholeNumber(literal: string): bigint | null {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal) ?? [];
  const digits = BigInt(whole + fraction);
  const shift = Number(exponent) - fraction.length;
  const scale = 10n ** BigInt(Math.abs(shift));
  if (shift < 0 && digits % scale !== 0n) return null;
  const magnitude = shift < 0 ? digits / scale : digits * scale;
  return sign === '-' ? -magnitude : magnitude;
}
