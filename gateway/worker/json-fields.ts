import { wrongField } from './fault.ts';
import type { ModelMetadata } from './metadata.ts';

/** A JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function readRecord(value: unknown, field: string): Fields {
  if (!isRecord(value)) throw wrongField(field, value, 'an object');
  return value;
}

/** A list with something in it. */
export function readList(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length === 0) throw wrongField(field, value, 'a list with at least one entry');
  return value;
}

/** Parameters hold texts, numbers and flags only. */
export function readParameters(value: unknown, field: string): Fields {
  if (value === undefined) return {};
  const parameters = readRecord(value, field);
  for (const [name, one] of Object.entries(parameters)) {
    if (!['string', 'number', 'boolean'].includes(typeof one))
      throw wrongField(`${field}.${name}`, one, 'a text, a number, true or false');
  }
  return parameters;
}

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
    const hasLongIntegers =
      inputs.some(({ datatype }) => datatype === 'INT64' || datatype === 'UINT64') && /\d{16}/.test(text);
    return hasLongIntegers ? JSON.parse(text, keepLongIntegers) : JSON.parse(text);
  } catch (cause) {
    throw wrongField('body', cause instanceof Error ? cause.message : String(cause), 'JSON in UTF-8');
  }
}

function keepLongIntegers(_key: string, value: unknown, { source }: { source?: string } = {}): unknown {
  const isLong =
    typeof value === 'number' && !Number.isSafeInteger(value) && source !== undefined && /^-?\d+$/.test(source);
  return isLong ? BigInt(source) : value;
}
