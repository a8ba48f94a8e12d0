import { headerLengthHeader } from '../protocols/open-inference.ts';
import type { Datatype, Tensor } from '../protocols/tensors.ts';
import { tensorFromBinary } from './binary-tensor.ts';
import { wrongField } from './fault.ts';
import { type Fields, parseMessage, readFlag, readList, readParameters, readRecord } from './json-fields.ts';
import { tensorFromJson } from './json-tensor.ts';
import type { ModelMetadata, TensorSpec } from './metadata.ts';
import { readRaw } from './read-raw.ts';
import { checkShape } from './shape.ts';

/** An inference request, checked in full against its model. */
export interface InferRequest {
  /** Echoed in the answer. */
  readonly id: string | null;
  /** In the order of the model's inputs. */
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly WantedOutput[];
}

/** An output that is asked for, and the form it is to come in. */
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
  if (length === 0) {
    const outputs = limits.metadata.outputs.map(({ name }) => ({ name, isBinary: true }));
    return { id: null, inputs: [readRaw(body, limits)], outputs };
  }
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
  const parameters = readParameters(input.parameters, `${field}.parameters`);
  refuseExtensions(parameters, `${field}.parameters`);
  const size = parameters.binary_data_size;
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
  return {
    name,
    datatype,
    shape,
    data: tensorFromBinary(binary.take(size), { tensor: field, size: sizeField }, spec, shape),
  };
}

/** Asking for an extension that is not served must not be passed over: the answer would be another one than was asked for. */
function refuseExtensions(parameters: Fields, field: string): void {
  for (const name of ['shared_memory_region', 'classification']) {
    if (parameters[name] !== undefined)
      throw wrongField(`${field}.${name}`, parameters[name], 'none: this extension is not served');
  }
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

/** None at all, or an empty list, stands for every output. */
function readOutputs(value: unknown, allBinary: boolean, { outputs }: ModelMetadata): WantedOutput[] {
  const items = value === undefined ? [] : readList(value, 'outputs');
  if (items.length === 0) {
    return outputs.map(({ name, datatype }) => ({
      name,
      isBinary: mustHaveForm(datatype, allBinary, 'parameters.binary_data_output'),
    }));
  }
  const wanted = items.map((item, at) => readOutput(item, `outputs[${at}]`, allBinary, outputs));
  const twice = wanted.find((one, at) => wanted.findIndex((other) => other.name === one.name) !== at);
  if (twice !== undefined) throw wrongField('outputs', `${twice.name} twice`, 'each output once');
  return wanted;
}

function readOutput(item: unknown, field: string, allBinary: boolean, specs: ModelMetadata['outputs']): WantedOutput {
  const output = readRecord(item, field);
  const spec = specs.find((one) => one.name === output.name);
  if (spec === undefined) throw wrongField(`${field}.name`, output.name, namesOf(specs));
  const parameters = readParameters(output.parameters, `${field}.parameters`);
  refuseExtensions(parameters, `${field}.parameters`);
  const flagField = `${field}.parameters.binary_data`;
  return {
    name: spec.name,
    isBinary: mustHaveForm(spec.datatype, readFlag(parameters.binary_data, flagField, allBinary), flagField),
  };
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
