import { headerLengthHeader } from '../protocols/open-inference.ts';
import { countElements, elementBytes, type Tensor } from '../protocols/tensors.ts';
import { tensorFromBinary, textFromBytes } from './binary-tensor.ts';
import { RequestFault, wrongField } from './fault.ts';
import type { ModelMetadata, TensorSpec } from './metadata.ts';

interface Limits {
  readonly metadata: ModelMetadata;
  readonly maxBatch: number | null;
}

/** The input of a raw binary request, whose body is nothing but the bytes of the model's single input: one row, or what the bytes amount to. */
export function readRaw(body: Uint8Array, { metadata, maxBatch }: Limits): Tensor {
  const [spec] = metadata.inputs;
  if (spec === undefined || metadata.inputs.length !== 1)
    throw notRaw(`a model with one input, and this one has ${metadata.inputs.length}`);
  const { name, datatype } = spec;
  const row = maxBatch === null ? spec.shape : [1, ...spec.shape.slice(1)];
  if (datatype !== 'BYTES') {
    const shape = rawShape(row, elementBytes[datatype] ?? 1, body.length);
    return { name, datatype, shape, data: tensorFromBinary(body, { tensor: 'body', size: 'body' }, spec, shape) };
  }
  // As Triton has it: the whole body is the one element, with no length in front.
  const shape = row.map((dimension) => (dimension === -1 ? 1 : dimension));
  if (countElements(shape) !== 1) throw notRaw('a model that takes a single element of BYTES');
  return { name, datatype, shape, data: [textFromBytes(body, 'body')] };
}

/** A free dimension takes what the bytes amount to. */
function rawShape(row: TensorSpec['shape'], elementSizeBytes: number, sizeBytes: number): number[] {
  if (row.filter((dimension) => dimension === -1).length > 1)
    throw notRaw('a model with at most one free dimension besides the batch');
  const fixedBytes = countElements(row.filter((dimension) => dimension !== -1)) * elementSizeBytes;
  if (row.includes(-1) && sizeBytes % fixedBytes !== 0)
    throw wrongField('body', sizeBytes, `a multiple of ${fixedBytes} bytes`);
  return row.map((dimension) => (dimension === -1 ? sizeBytes / fixedBytes : dimension));
}

function notRaw(wanted: string): RequestFault {
  return new RequestFault(
    400,
    `${headerLengthHeader}: got 0, wanted JSON in front: a body of raw binary needs ${wanted}`,
  );
}
