/** The datatypes of the Open Inference Protocol and the bytes of one element; null where elements differ in length. */
export const elementBytes = {
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
  BF16: 2,
  FP32: 4,
  FP64: 8,
  BYTES: null,
} as const;

/** The name of a datatype, as the protocol spells it. */
export type Datatype = keyof typeof elementBytes;

/** A tensor's values: row-major and little-endian as they go over the wire, or texts for BYTES. */
export type TensorData = Uint8Array | readonly string[];

/** A named tensor; `data` holds as many elements as `shape` says. */
export interface Tensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** How many elements a shape holds; 1 for a scalar. */
export function countElements(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** Splits the binary form of BYTES: for each element its length as uint32, little-endian, and then the bytes. Null when it is not exactly `count` elements. */
export function decodeBytes(raw: Uint8Array, count: number): Uint8Array[] | null {
  const elements: Uint8Array[] = [];
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  let at = 0;
  // Counted while they are made: megabytes of empty elements would become gigabytes of objects.
  while (elements.length < count) {
    if (at + 4 > raw.length) return null;
    const end = at + 4 + view.getUint32(at, true);
    if (end > raw.length) return null;
    elements.push(raw.subarray(at + 4, end));
    at = end;
  }
  return at === raw.length ? elements : null;
}

/** Texts in the binary form of BYTES. */
export function encodeBytes(texts: readonly string[]): Uint8Array {
  return Buffer.concat(
    texts.flatMap((text) => {
      const bytes = Buffer.from(text);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    }),
  );
}

/**
 * The values in the form of JSON, or null for datatypes that have none. 64-bit integers keep every digit. What JSON has no number for
 * is written as Triton writes it and Python reads it: NaN, Infinity, -Infinity.
 */
export function toJsonText({ datatype, data }: Tensor): string | null {
  if (!(data instanceof Uint8Array)) return JSON.stringify(data);
  const values = typedView(datatype, data);
  if (values === null) return null;
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) return `[${values.join(',')}]`;
  if (datatype === 'BOOL') return JSON.stringify(Array.from(values, Boolean));
  const numbers = Array.from(values);
  const isPlain = numbers.every((value) => Number.isFinite(value) && !Object.is(value, -0));
  return isPlain ? JSON.stringify(numbers) : `[${numbers.map(numberText).join(',')}]`;
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0.0' : String(value);
}

type NumberArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

const views = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP32: Float32Array,
  FP64: Float64Array,
} as const;

/** The elements as numbers, or null for datatypes that JavaScript has no numbers for (FP16, BF16) and for BYTES. */
export function typedView(datatype: Datatype, raw: Uint8Array): NumberArray | null {
  if (datatype === 'FP16' || datatype === 'BF16' || datatype === 'BYTES') return null;
  const bytes = aligned(raw, elementBytes[datatype]);
  return new views[datatype](bytes.buffer, bytes.byteOffset, bytes.byteLength / elementBytes[datatype]);
}

/** Typed arrays must begin at a multiple of their element's size; what does not is copied. */
export function aligned(raw: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  return raw.byteOffset % size === 0 && raw.buffer instanceof ArrayBuffer
    ? new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength)
    : new Uint8Array(raw);
}
