import type { Datatype } from '../protocols/tensors.ts';

/** One input or output of a model. */
export interface TensorSpec {
  readonly name: string;
  readonly datatype: Datatype;
  /** -1 where any size is accepted. */
  readonly shape: readonly number[];
}

/** What a model takes and gives, read from the model itself. */
export interface ModelMetadata {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/** What onnxruntime says of an input or output. */
interface OnnxValue {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type?: string;
  readonly shape?: readonly (number | string)[];
}

const datatypes: Readonly<Record<string, Datatype>> = {
  bool: 'BOOL',
  uint8: 'UINT8',
  uint16: 'UINT16',
  uint32: 'UINT32',
  uint64: 'UINT64',
  int8: 'INT8',
  int16: 'INT16',
  int32: 'INT32',
  int64: 'INT64',
  float16: 'FP16',
  float32: 'FP32',
  float64: 'FP64',
  string: 'BYTES',
};

/** Describes an input or output in the protocol's words. Throws for a type that the protocol has no word for. */
export function specOf(value: OnnxValue): TensorSpec {
  const datatype = value.isTensor ? datatypes[value.type ?? ''] : undefined;
  if (datatype === undefined)
    throw new Error(`${value.name} is of type ${value.type ?? 'other than tensor'}, which cannot be served`);
  // A dimension with a name, or none, is one whose size each request chooses.
  const shape = (value.shape ?? []).map((dimension) =>
    typeof dimension === 'number' && dimension >= 0 ? dimension : -1,
  );
  return { name: value.name, datatype, shape };
}

/** The word onnxruntime has for a datatype. */
export function onnxTypeOf(datatype: Datatype): string {
  return Object.entries(datatypes).find(([, one]) => one === datatype)?.[0] ?? 'float32';
}

/** Whether rows of several requests can be put together: every input and output then has a free first dimension. */
export function isBatchable({ inputs, outputs }: ModelMetadata): boolean {
  return inputs.length > 0 && [...inputs, ...outputs].every((spec) => spec.shape[0] === -1);
}
