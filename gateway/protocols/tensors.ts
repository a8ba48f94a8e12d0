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

/** What the elements of a tensor are, in the protocol's words. */
export type Datatype = keyof typeof elementBytes;

/** A tensor's values: row-major and little-endian as they go over the wire, or texts for BYTES. */
export type TensorData = Uint8Array | readonly string[];

/** One named input or output of a model. */
export interface Tensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** Whether a text is one of the protocol's datatypes. */
export function isDatatype(text: unknown): text is Datatype {
  return typeof text === 'string' && Object.hasOwn(elementBytes, text);
}

/** How many elements a shape holds; 1 for a scalar. */
export function countElements(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** Splits the binary form of BYTES: for each element its length as uint32, little-endian, and then the bytes. Null when it does not come out even. */
export function decodeBytes(raw: Uint8Array): string[] | null {
  const texts: string[] = [];
  const view = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  let at = 0;
  while (at < view.length) {
    if (at + 4 > view.length) return null;
    const end = at + 4 + view.readUInt32LE(at);
    if (end > view.length) return null;
    texts.push(view.toString('utf8', at + 4, end));
    at = end;
  }
  return texts;
}

/** The reverse of `decodeBytes`. */
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

/** The values in the form of JSON, or null for datatypes that have none. 64-bit integers keep every digit. */
export function toJsonText({ datatype, data }: Tensor): string | null {
  if (!(data instanceof Uint8Array)) return JSON.stringify(data);
  const values = typedView(datatype, data);
  if (values === null) return null;
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) return `[${values.join(',')}]`;
  if (datatype === 'BOOL') return JSON.stringify(Array.from(values, Boolean));
  return JSON.stringify(Array.from(values));
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
