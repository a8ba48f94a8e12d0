import type { ModelDatatype } from './test-models.ts';

// The wire format of the Open Inference Protocol, written a second time and in another way than in gateway/, so that the two check each other.

/** Bytes of one element; BYTES has none of its own. */
const widths: Readonly<Record<Exclude<ModelDatatype, 'BYTES'>, number>> = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  FP32: 4,
  FP64: 8,
};

/** The bytes of one element; 0 where elements differ in length. */
export function widthOf(datatype: ModelDatatype): number {
  return datatype === 'BYTES' ? 0 : widths[datatype];
}

/** Values in the binary form of their datatype. FP16 is given as its bits. */
export function toBinary(datatype: ModelDatatype, values: readonly unknown[]): Buffer {
  return Buffer.concat(values.map((value) => elementBytes(datatype, value)));
}

function elementBytes(datatype: ModelDatatype, value: unknown): Buffer {
  if (datatype === 'BYTES') {
    const text = Buffer.from(value as string | Uint8Array);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length);
    return Buffer.concat([length, text]);
  }
  const bytes = Buffer.alloc(widths[datatype]);
  if (datatype === 'FP32') bytes.writeFloatLE(Number(value));
  else if (datatype === 'FP64') bytes.writeDoubleLE(Number(value));
  else {
    const whole = BigInt.asUintN(8 * bytes.length, BigInt(value as bigint));
    for (let at = 0; at < bytes.length; at++) bytes[at] = Number((whole >> BigInt(8 * at)) & 0xffn);
  }
  return bytes;
}

/** A request's body: JSON, with binary tensors behind it where there are any, and the headers that go with it. */
export function frame(
  message: object,
  binary: readonly Uint8Array[] = [],
): { body: Buffer<ArrayBuffer>; headers: Record<string, string> } {
  const json = Buffer.from(toJson(message));
  const body = Buffer.concat([json, ...binary]);
  if (binary.length === 0) return { body, headers: { 'content-type': 'application/json' } };
  return {
    body,
    headers: {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': String(json.length),
    },
  };
}

/** JSON in which a bigint is written with all its digits, and a number exactly as a `<literal>` says. */
export function toJson(value: unknown): string {
  const text = JSON.stringify(value, (_key, one) => (typeof one === 'bigint' ? `<${one}>` : one));
  return text.replace(/"<([^">]*)>"/g, '$1');
}

/** JSON in which integers keep all their digits, and what JSON has no numbers for is read as Python does. */
export function fromJson(text: string): unknown {
  const tokens = text.replace(/(?<=[[,])(NaN|-?Infinity)(?=[\],])/g, '{"is":"$1"}');
  return JSON.parse(tokens, (_key, value, { source }: { source?: string } = {}) => {
    if (typeof value === 'number' && source !== undefined && /^-?\d{16,}$/.test(source)) return BigInt(source);
    return typeof value?.is === 'string' ? Number(value.is) : value;
  });
}

/** An output of an answer, its values in binary form however they came. */
export interface AnsweredTensor {
  readonly name: string;
  readonly datatype: ModelDatatype;
  readonly shape: readonly number[];
  readonly isBinary: boolean;
  readonly bytes: Buffer;
}

/** An answer to an inference, taken apart. */
export interface Answered {
  readonly message: Readonly<Record<string, unknown>>;
  readonly outputs: readonly AnsweredTensor[];
}

interface WrittenOutput {
  readonly name: string;
  readonly datatype: ModelDatatype;
  readonly shape: readonly number[];
  readonly data?: readonly unknown[];
  readonly parameters?: { readonly binary_data_size: number };
}

/** Takes an answer apart. Throws where its framing does not come out even. */
export function parseAnswer(headerLength: string | null, body: Buffer): Answered {
  const jsonEnd = headerLength === null ? body.length : Number(headerLength);
  const message = fromJson(body.toString('utf8', 0, jsonEnd)) as { outputs: WrittenOutput[] };
  let at = jsonEnd;
  const outputs = message.outputs.map(({ name, datatype, shape, data, parameters }) => {
    const isBinary = data === undefined;
    const bytes = isBinary
      ? body.subarray(at, at + (parameters?.binary_data_size ?? Number.NaN))
      : toBinary(datatype, data);
    if (isBinary) at += bytes.length;
    return { name, datatype, shape, isBinary, bytes };
  });
  if (at !== body.length) throw new Error(`${body.length - at} bytes behind the last output`);
  return { message: { ...message }, outputs };
}
