import { headerLengthHeader } from '../protocols/open-inference.ts';
import { countElements, type Datatype, decodeBytes, elementBytes, type Tensor } from '../protocols/tensors.ts';
import { RequestFault, wrongField } from './fault.ts';
import { parseMessage, readFlag, readList, readParameters, readRecord } from './json-fields.ts';
import { tensorFromJson } from './json-tensor.ts';
import type { ModelMetadata, TensorSpec } from './metadata.ts';
import { checkShape } from './shape.ts';

/** An inference request, checked in full against its model. */
export interface InferRequest {
  /** Echoed in the answer. */
  readonly id: string | null;
  /** In the order of the model's inputs. */
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly WantedOutput[];
}

export interface WantedOutput {
  readonly name: string;
  readonly isBinary: boolean;
}

interface Limits {
  readonly metadata: ModelMetadata;
  readonly maxBatch: number | null;
}

/** Reads a request: JSON, JSON with binary tensors behind it, or one raw binary tensor. Throws a `RequestFault` that names the first field at fault. */
export function readInfer(body: Uint8Array, headerLength: string | null, limits: Limits): InferRequest {
  if (headerLength === null) return readMessage(body, null, limits);
  const length = /^\d{1,10}$/.test(headerLength) ? Number(headerLength) : Number.NaN;
  if (!(length <= body.length))
    throw wrongField(
      headerLengthHeader,
      headerLength,
      `a whole number from 0 to ${body.length}, the length of the body`,
    );
  if (length === 0) return readRaw(body, limits);
  return readMessage(body.subarray(0, length), new BinaryPart(body.subarray(length)), limits);
}

/** The binary tensors behind the JSON, taken in the order of the inputs. */
class BinaryPart {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  take(sizeBytes: number): Uint8Array {
    this.#at += sizeBytes;
    return this.#bytes.subarray(this.#at - sizeBytes, this.#at);
  }
}

function readMessage(json: Uint8Array, binary: BinaryPart | null, { metadata, maxBatch }: Limits): InferRequest {
  const message = readRecord(parseMessage(json, metadata), 'body');
  const { id, outputs } = message;
  if (id !== undefined && typeof id !== 'string') throw wrongField('id', id, 'a text');
  const parameters = readParameters(message.parameters, 'parameters');
  const given = readList(message.inputs, 'inputs').map((input, at) =>
    readInput(input, `inputs[${at}]`, binary, metadata),
  );
  if (binary !== null && binary.left > 0) {
    throw wrongField('inputs', `${binary.left} bytes behind the last binary input`, 'a body that ends with it');
  }
  const allBinary = readFlag(parameters.binary_data_output, 'parameters.binary_data_output', false);
  const inputs = inModelOrder(given, metadata);
  checkBatch(inputs, maxBatch);
  return { id: id ?? null, inputs, outputs: readOutputs(outputs, allBinary, metadata) };
}

function readInput(value: unknown, field: string, binary: BinaryPart | null, { inputs }: ModelMetadata): Tensor {
  const input = readRecord(value, field);
  const spec = inputs.find((one) => one.name === input.name);
  if (spec === undefined) throw wrongField(`${field}.name`, input.name, namesOf(inputs));
  if (input.datatype !== spec.datatype) throw wrongField(`${field}.datatype`, input.datatype, spec.datatype);
  const shape = checkShape(input.shape, `${field}.shape`, spec);
  const size = readParameters(input.parameters, `${field}.parameters`).binary_data_size;
  const { name, datatype } = spec;
  if (size === undefined)
    return { name, datatype, shape, data: tensorFromJson(input.data, `${field}.data`, datatype, shape) };
  const sizeField = `${field}.parameters.binary_data_size`;
  if (input.data !== undefined) throw wrongField(`${field}.data`, input.data, 'no data beside binary_data_size');
  if (binary === null)
    throw wrongField(headerLengthHeader, undefined, 'the length of the JSON in front of the binary data');
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 0 || size > binary.left) {
    throw wrongField(sizeField, size, `a whole number of bytes, at most the ${binary.left} that are left in the body`);
  }
  return { name, datatype, shape, data: tensorFromBinary(binary.take(size), sizeField, spec, shape) };
}

function tensorFromBinary(
  raw: Uint8Array,
  field: string,
  { datatype }: TensorSpec,
  shape: readonly number[],
): Tensor['data'] {
  const count = countElements(shape);
  const size = elementBytes[datatype];
  if (size !== null) {
    if (raw.length !== count * size) throw wrongField(field, raw.length, `${count * size} for ${count} of ${datatype}`);
    if (datatype === 'BOOL' && raw.some((byte) => byte > 1))
      throw wrongField(field, 'a byte over 1', 'bytes of 0 and 1 for BOOL');
    return raw;
  }
  const texts = decodeBytes(raw);
  if (texts?.length !== count)
    throw wrongField(field, raw.length, `${count} elements, each its length as uint32 and its bytes`);
  return texts;
}

/** A body of nothing but the bytes of the single input: batch 1, and every output in binary. */
function readRaw(body: Uint8Array, { metadata }: Limits): InferRequest {
  const [spec] = metadata.inputs;
  const free = spec?.shape.filter((dimension) => dimension === -1).length ?? 0;
  if (spec === undefined || metadata.inputs.length !== 1 || free > 1) {
    throw new RequestFault(
      400,
      `${headerLengthHeader}: got 0, wanted JSON in front: raw binary needs a model with one input and at most one free dimension`,
    );
  }
  const shape = rawShape(spec, body.length);
  const data = tensorFromBinary(body, 'body', spec, shape);
  const outputs = metadata.outputs.map(({ name }) => ({ name, isBinary: true }));
  return { id: null, inputs: [{ name: spec.name, datatype: spec.datatype, shape, data }], outputs };
}

function rawShape({ shape, datatype }: TensorSpec, sizeBytes: number): number[] {
  // The first dimension, where free, is the batch of one; another free one takes what the bytes amount to.
  if (shape[0] === -1) return [1, ...shape.slice(1)];
  const fixed = countElements(shape.filter((dimension) => dimension !== -1));
  const count = sizeBytes / (elementBytes[datatype] ?? sizeBytes) / fixed;
  return shape.map((dimension) => (dimension === -1 ? Math.floor(count) : dimension));
}

function inModelOrder(given: readonly Tensor[], { inputs }: ModelMetadata): Tensor[] {
  return inputs.map((spec) => {
    const found = given.filter((tensor) => tensor.name === spec.name);
    if (found.length > 1) throw wrongField('inputs', `${spec.name} ${found.length} times`, 'each input once');
    const [tensor] = found;
    if (tensor === undefined) throw wrongField('inputs', undefined, `the input ${spec.name}`);
    return tensor;
  });
}

function checkBatch(inputs: readonly Tensor[], maxBatch: number | null): void {
  if (maxBatch === null) return;
  const rows = inputs[0]?.shape[0] ?? 0;
  const other = inputs.find((input) => input.shape[0] !== rows);
  if (other !== undefined)
    throw wrongField(`${other.name}.shape[0]`, other.shape[0], `${rows}, as in ${inputs[0]?.name}`);
  if (rows > maxBatch)
    throw wrongField(`${inputs[0]?.name}.shape[0]`, rows, `at most ${maxBatch} rows (max_batch of the model)`);
}

function readOutputs(value: unknown, allBinary: boolean, { outputs }: ModelMetadata): WantedOutput[] {
  if (value === undefined) {
    return outputs.map(({ name, datatype }) => ({
      name,
      isBinary: mustHaveForm(datatype, allBinary, 'parameters.binary_data_output'),
    }));
  }
  const wanted = readList(value, 'outputs').map((item, at): WantedOutput => {
    const field = `outputs[${at}]`;
    const output = readRecord(item, field);
    const spec = outputs.find((one) => one.name === output.name);
    if (spec === undefined) throw wrongField(`${field}.name`, output.name, namesOf(outputs));
    const parameters = readParameters(output.parameters, `${field}.parameters`);
    if (parameters.classification !== undefined) {
      throw wrongField(
        `${field}.parameters.classification`,
        parameters.classification,
        'none: the classification extension is not served',
      );
    }
    const flagField = `${field}.parameters.binary_data`;
    return {
      name: spec.name,
      isBinary: mustHaveForm(spec.datatype, readFlag(parameters.binary_data, flagField, allBinary), flagField),
    };
  });
  const twice = wanted.find((one, at) => wanted.findIndex((other) => other.name === one.name) !== at);
  if (twice !== undefined) throw wrongField('outputs', `${twice.name} twice`, 'each output once');
  return wanted;
}

/** Half-precision numbers can be sent in binary only. */
function mustHaveForm(datatype: Datatype, isBinary: boolean, field: string): boolean {
  if (!isBinary && (datatype === 'FP16' || datatype === 'BF16'))
    throw wrongField(field, isBinary, `true, for ${datatype} has no form in JSON`);
  return isBinary;
}

function namesOf(specs: readonly TensorSpec[]): string {
  return `one of ${specs.map((spec) => spec.name).join(', ')}`;
}
