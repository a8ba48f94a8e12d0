import { type Attribute, attributeTypes, type Tensor } from './model.ts';

/** The value of an attribute, not yet named. JavaScript's one kind of number is two in ONNX, so each is made by its own function. */
export type AttributeValue = Omit<Attribute, 'name'>;

const empty = {
  floats: [],
  ints: [],
  strings: [],
  tensors: [],
  graphs: [],
  sparseTensors: [],
  valueTypes: [],
} as const;

/** A number that need not be whole; stored with 32 bits. */
export function float(value: number): AttributeValue {
  return { ...empty, type: attributeTypes.float, float: Math.fround(value) };
}

/** A whole number; also how ONNX writes yes (1) and no (0). */
export function int(value: number): AttributeValue {
  return { ...empty, type: attributeTypes.int, int: BigInt(value) };
}

/** A list of whole numbers: extents, axes, strides. */
export function ints(values: readonly number[]): AttributeValue {
  return { ...empty, type: attributeTypes.ints, ints: values.map(BigInt) };
}

/** A list of numbers that need not be whole; each stored with 32 bits. */
export function floats(values: readonly number[]): AttributeValue {
  return { ...empty, type: attributeTypes.floats, floats: values.map(Math.fround) };
}

/** A word, such as a mode. */
export function text(value: string): AttributeValue {
  return { ...empty, type: attributeTypes.string, string: new TextEncoder().encode(value) };
}

/** A constant array, as `Constant` takes it. */
export function tensor(value: Tensor): AttributeValue {
  return { ...empty, type: attributeTypes.tensor, tensor: value };
}
