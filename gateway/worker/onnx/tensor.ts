import { elementTypes, type Tensor } from './model.ts';

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
} as const;

type NumericType = keyof typeof arrays;

/** The elements of a tensor, row by row, in the typed array for their type. */
export type Elements =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

const noElements = {
  floatData: [],
  int32Data: [],
  stringData: [],
  int64Data: [],
  doubleData: [],
  uint64Data: [],
  externalData: [],
  metadata: [],
} as const;

/** A tensor whose element type is that of the array. The elements are copied, and their number must be the product of `dims`. */
export function newTensor(name: string, dims: readonly number[], elements: Elements): Tensor {
  const count = dims.reduce((product, extent) => product * extent, 1);
  if (count !== elements.length) {
    throw new RangeError(`tensor ${name} of shape [${dims}] holds ${count} elements, got ${elements.length}`);
  }
  const rawData = Uint8Array.from(new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength));
  return { ...noElements, name, dims: dims.map(BigInt), elementType: elementTypes[typeOf(elements)], rawData };
}

/**
 * The elements of a tensor, wherever the file keeps them. Throws where they lie in another file, and for types JavaScript
 * has no array for (text, half precision, four bits): those are to be read from `rawData` itself.
 */
export function elementsOf(tensor: Tensor): Elements {
  const type = (Object.keys(arrays) as NumericType[]).find((name) => elementTypes[name] === tensor.elementType);
  if (type === undefined)
    throw new TypeError(`tensor ${tensor.name} has element type ${tensor.elementType}, not a number type`);
  if (tensor.dataLocation === 1) throw new TypeError(`the elements of tensor ${tensor.name} lie in another file`);
  // Copied, because in a file elements start at any byte and a typed array must start at a multiple of their size.
  if (tensor.rawData !== undefined) return new arrays[type](tensor.rawData.slice().buffer);
  switch (type) {
    case 'float32':
      return Float32Array.from(tensor.floatData);
    case 'float64':
      return Float64Array.from(tensor.doubleData);
    case 'int64':
      return BigInt64Array.from(tensor.int64Data);
    case 'uint64':
      return BigUint64Array.from(tensor.uint64Data);
    case 'uint32':
      return Uint32Array.from(tensor.uint64Data, Number);
    default:
      return arrays[type].from(tensor.int32Data);
  }
}

function typeOf(elements: Elements): NumericType {
  const type = (Object.keys(arrays) as NumericType[]).find((name) => elements instanceof arrays[name]);
  if (type === undefined) throw new TypeError('elements must be a typed array of numbers');
  return type;
}
