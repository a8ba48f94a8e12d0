import type { Rng } from '../../../gateway/kernel/rng.ts';
import { toJson, widthOf } from '../infer-message.ts';
import { type ModelDatatype, modelDatatypes, mostRows } from '../test-models.ts';

/** An input of a model that gives it back. */
interface EchoedInput {
  readonly name: string;
  readonly output: string;
  readonly datatype: ModelDatatype;
  /** -1 where any size is taken; the first one is the batch where the model has one. */
  readonly dims: readonly number[];
}

/** What the oracle knows of a model: that it gives back what it gets. */
export interface EchoModel {
  readonly name: string;
  readonly inputs: readonly EchoedInput[];
  /** Null for a model without a batch dimension. */
  readonly mostRows: number | null;
}

/** The models that requests are made for; `modelFiles` has them. */
export const echoModels: readonly EchoModel[] = [
  ...modelDatatypes.map((datatype) => echoing(`echo-${datatype}`, datatype, [-1, 2], mostRows)),
  echoing('fixed', 'FP32', [2, 3], null),
  echoing('scalar', 'FP32', [], null),
  echoing('word', 'BYTES', [1], null),
  echoing('free', 'INT32', [-1, -1], mostRows),
  {
    name: 'mixed',
    mostRows,
    inputs: [
      { name: 'numbers', output: 'numbers_out', datatype: 'FP32', dims: [-1, 3] },
      { name: 'counts', output: 'counts_out', datatype: 'INT64', dims: [-1, 2] },
    ],
  },
  {
    name: 'trio',
    mostRows,
    inputs: [
      { name: 'half', output: 'half_out', datatype: 'FP16', dims: [-1, 2] },
      { name: 'words', output: 'words_out', datatype: 'BYTES', dims: [-1, 1] },
      { name: 'flags', output: 'flags_out', datatype: 'BOOL', dims: [-1, 3] },
    ],
  },
];

function echoing(name: string, datatype: ModelDatatype, dims: readonly number[], rows: number | null): EchoModel {
  return { name, mostRows: rows, inputs: [{ name: 'x', output: 'y', datatype, dims }] };
}

/** A tensor of a request. Its elements are the bytes they have in the binary form, for BYTES without their lengths. */
export interface CaseInput {
  readonly of: EchoedInput;
  shape: number[];
  elements: Buffer[];
  isBinary: boolean;
}

/** A request that is in order, before it is written down. */
export interface InferCase {
  model: EchoModel;
  version: string | null;
  id: string | null;
  inputs: CaseInput[];
  /** Null for all, and each with whether it says itself if it is to be binary. */
  outputs: { name: string; isBinary: boolean | null }[] | null;
  /** What the request says for all outputs; null where it says nothing. */
  allBinary: boolean | null;
}

/** Draws one of some. */
export function pick<T>(rng: Rng, all: readonly T[]): T {
  if (all.length === 0) throw new Error('there is nothing to pick from');
  return all[rng.below(all.length)] as T;
}

/** Draws a request in order. */
export function drawCase(rng: Rng): InferCase {
  const model = pick(rng, echoModels);
  const rows = rng.below(mostRows + 1);
  const width = 1 + rng.below(3);
  const inputs = model.inputs.map((of): CaseInput => {
    const isBinary = of.datatype === 'FP16' || rng.next() < 0.5;
    const shape = of.dims.map((dimension, at) => (dimension !== -1 ? dimension : at === 0 ? rows : width));
    return { of, shape, isBinary, elements: drawElements(rng, of.datatype, countOf(shape), isBinary) };
  });
  const allBinary = pick(rng, [null, true, false]);
  const mustSay = model.inputs.some(({ datatype }) => datatype === 'FP16') && allBinary !== true;
  const outputs = mustSay || rng.next() < 0.5 ? drawOutputs(rng, model) : null;
  return {
    model,
    version: pick(rng, [null, '1']),
    id: pick(rng, [null, '', 'a', 'größer "1"\n']),
    inputs,
    outputs,
    allBinary,
  };
}

function drawOutputs(rng: Rng, { inputs }: EchoModel): { name: string; isBinary: boolean | null }[] {
  const outputs = inputs.map(({ output, datatype }) => ({
    name: output,
    isBinary: datatype === 'FP16' ? true : pick(rng, [null, true, false]),
  }));
  return rng.next() < 0.5 ? outputs : outputs.toReversed();
}

/** The product of a shape. */
export function countOf(shape: readonly number[]): number {
  let count = 1;
  for (const dimension of shape) count *= dimension;
  return count;
}

const texts = ['', 'a', 'größer', '\u{1f600}', '\ufeffx', '{"a":1}', ' '.repeat(300), '\u0001\n"\\'];

/** Draws elements, often extreme ones. JSON has no form for numbers that are not finite. */
export function drawElements(rng: Rng, datatype: ModelDatatype, count: number, isBinary: boolean): Buffer[] {
  return Array.from({ length: count }, () => {
    if (datatype === 'BYTES') return Buffer.from(pick(rng, texts));
    if (datatype === 'BOOL') return Buffer.of(rng.below(2));
    const bytes = Buffer.from(
      Array.from({ length: widthOf(datatype) }, () => pick(rng, [0, 0xff, 0x7f, 0x80, rng.below(256)])),
    );
    const isFloat = datatype === 'FP32' || datatype === 'FP64';
    // The last byte holds sign and exponent: clearing a bit of it keeps a number finite.
    if (isFloat && !isBinary) bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) & 0xbf;
    return bytes;
  });
}

/** An element as JSON has it; in angle brackets where it must stand as a literal. */
export function elementInJson(datatype: ModelDatatype, element: Buffer): unknown {
  if (datatype === 'BYTES') return element.toString();
  if (datatype === 'BOOL') return element[0] === 1;
  if (datatype === 'FP32' || datatype === 'FP64') {
    const value = datatype === 'FP32' ? element.readFloatLE() : element.readDoubleLE();
    return Object.is(value, -0) ? '<-0.0>' : value;
  }
  let value = 0n;
  for (const [at, byte] of element.entries()) value |= BigInt(byte) << BigInt(8 * at);
  return datatype.startsWith('U') ? value : BigInt.asIntN(8 * element.length, value);
}

/** A tensor in the binary form. */
export function inBinary(datatype: ModelDatatype, elements: readonly Buffer[]): Buffer {
  if (datatype !== 'BYTES') return Buffer.concat(elements);
  return Buffer.concat(
    elements.flatMap((element) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(element.length);
      return [length, element];
    }),
  );
}

/** Part of a message, as JSON has it, while it may still be changed. */
export type Written = Record<string, unknown>;

/** A request written down, every part of which can still be changed. */
export interface Draft {
  method: string;
  path: string;
  message: Written & { inputs: Written[]; outputs?: Written[] };
  /** What stands behind the JSON. */
  binary: Buffer[];
  headers: [string, string][];
  /** Changes the text of the JSON. */
  asText: (text: string) => string | Buffer;
  /** What `inference-header-content-length` says, given the length of the JSON; null for no header. */
  headerLength: (jsonBytes: number) => string | null;
  /** Changes the whole body. */
  asBody: (body: Buffer) => Buffer;
  /** `length` for a `content-length`, or any other framing, made of the body: its own headers and what goes over the wire. */
  asWire: (body: Buffer) => { headers: [string, string][]; wire: Buffer };
}

/** Writes a request down as the specification says. */
export function writeCase({ model, version, id, inputs, outputs, allBinary }: InferCase): Draft {
  const message: Draft['message'] = { inputs: inputs.map(writeInput) };
  if (id !== null) message.id = id;
  if (allBinary !== null) message.parameters = { binary_data_output: allBinary };
  if (outputs !== null)
    message.outputs = outputs.map(({ name, isBinary }) =>
      isBinary === null ? { name } : { name, parameters: { binary_data: isBinary } },
    );
  const binary = inputs.filter((input) => input.isBinary).map(({ of, elements }) => inBinary(of.datatype, elements));
  return {
    method: 'POST',
    path: `/v2/models/${model.name}${version === null ? '' : `/versions/${version}`}/infer`,
    message,
    binary,
    headers: [['content-type', binary.length > 0 ? 'application/octet-stream' : 'application/json']],
    asText: (text) => text,
    headerLength: (jsonBytes) => (binary.length > 0 ? String(jsonBytes) : null),
    asBody: (body) => body,
    asWire: (body) => ({ headers: [['content-length', String(body.length)]], wire: body }),
  };
}

function writeInput({ of, shape, elements, isBinary }: CaseInput): Written {
  const { name, datatype } = of;
  if (isBinary)
    return { name, shape: [...shape], datatype, parameters: { binary_data_size: inBinary(datatype, elements).length } };
  return { name, shape: [...shape], datatype, data: elements.map((element) => elementInJson(datatype, element)) };
}

/** A draft as it goes over the wire. */
export function render(draft: Draft): { method: string; path: string; headers: [string, string][]; body: Buffer } {
  const json = Buffer.from(draft.asText(toJson(draft.message)));
  const headerLength = draft.headerLength(json.length);
  const { headers, wire } = draft.asWire(draft.asBody(Buffer.concat([json, ...draft.binary])));
  const own: [string, string][] = headerLength === null ? [] : [['Inference-Header-Content-Length', headerLength]];
  return { method: draft.method, path: draft.path, headers: [...draft.headers, ...own, ...headers], body: wire };
}
