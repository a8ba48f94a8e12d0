import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Datatype } from '../../gateway/protocols/tensors.ts';
import { int, ints } from '../../gateway/worker/onnx/attribute.ts';
import { encodeModel } from '../../gateway/worker/onnx/file.ts';
import { type Dims, GraphBuilder } from '../../gateway/worker/onnx/graph-builder.ts';
import type { ElementType } from '../../gateway/worker/onnx/model.ts';

/** The datatypes a model can have, and what ONNX calls them. */
export const onnxTypes = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'string',
} as const satisfies Partial<Record<Datatype, ElementType>>;

export type ModelDatatype = keyof typeof onnxTypes;

export const modelDatatypes = Object.keys(onnxTypes) as ModelDatatype[];

/** Rows that the models here take at once, where they say so. */
export const mostRows = 8;

const invariant = `max_batch: ${mostRows}\nbatch_invariant: true\n`;
const details = { irVersion: 8, producerName: 'test', operatorSets: { '': 17 } };

/** A model that gives back what it gets; its input is `x` and its output `y`. */
export function echo(type: ElementType, dims: Dims): Uint8Array {
  const graph = new GraphBuilder('echo');
  graph.node('Identity', [graph.input('x', type, dims)], { outputs: ['y'] });
  graph.output('y', type, dims);
  return encodeModel(graph.model(details));
}

/** Gives back inputs of several types, each as `<name>_out`. */
export function echoAll(inputs: Readonly<Record<string, readonly [ElementType, Dims]>>): Uint8Array {
  const graph = new GraphBuilder('echo-all');
  for (const [name, [type, dims]] of Object.entries(inputs)) {
    graph.node('Identity', [graph.input(name, type, dims)], { outputs: [`${name}_out`] });
    graph.output(`${name}_out`, type, dims);
  }
  return encodeModel(graph.model(details));
}

/** Adds a number to every element. */
export function adder(addend: number): Uint8Array {
  const graph = new GraphBuilder('adder');
  const number = graph.initializer('addend', [1], Float32Array.of(addend));
  graph.node('Add', [graph.input('x', 'float32', ['batch', 2]), number], { outputs: ['y'] });
  graph.output('y', 'float32', ['batch', 2]);
  return encodeModel(graph.model(details));
}

/** Adds the mean of all rows to each: what a row gives depends on those it is computed with. */
export function leaning(): Uint8Array {
  const graph = new GraphBuilder('leaning');
  const x = graph.input('x', 'float32', ['batch', 2]);
  const mean = graph.node('ReduceMean', [x], { attributes: { axes: ints([0]), keepdims: int(1) } });
  graph.node('Add', [x, mean], { outputs: ['y'] });
  graph.output('y', 'float32', ['batch', 2]);
  return encodeModel(graph.model(details));
}

/** Looks indices up in a table of three, and fails for others. */
export function picky(): Uint8Array {
  const graph = new GraphBuilder('picky');
  const table = graph.initializer('table', [3], Float32Array.of(10, 20, 30));
  graph.node('Gather', [table, graph.input('x', 'int64', ['batch'])], { outputs: ['y'] });
  graph.output('y', 'float32', ['batch']);
  return encodeModel(graph.model(details));
}

/** Takes as many numbers as there are and gives one, so that its rows cannot be put together. */
export function sum(): Uint8Array {
  const graph = new GraphBuilder('sum');
  const x = graph.input('x', 'float32', ['count']);
  graph.node('ReduceSum', [x], { attributes: { keepdims: int(1) }, outputs: ['y'] });
  graph.output('y', 'float32', [1]);
  return encodeModel(graph.model(details));
}

/** Takes some tenths of a second: multiplies matrices made of its input, and gives the input back. */
export function slow(): Uint8Array {
  const graph = new GraphBuilder('slow');
  const x = graph.input('x', 'float32', ['batch', 1]);
  const size = graph.initializer('size', [2], BigInt64Array.of(1200n, 1200n));
  const first = graph.node('ReduceMean', [x], { attributes: { axes: ints([0]), keepdims: int(1) } });
  const matrix = graph.node('Expand', [graph.node('Tanh', [first]), size]);
  let product = matrix;
  for (let n = 0; n < 3; n++) product = graph.node('Tanh', [graph.node('MatMul', [product, matrix])]);
  const none = graph.node('Mul', [
    graph.node('ReduceMax', [product], { attributes: { keepdims: int(0) } }),
    graph.initializer('zero', [1], Float32Array.of(0)),
  ]);
  graph.node('Add', [x, none], { outputs: ['y'] });
  graph.output('y', 'float32', ['batch', 1]);
  return encodeModel(graph.model(details));
}

/** Multiplies by a matrix that is large enough for several threads. */
export function wide(): Uint8Array {
  const graph = new GraphBuilder('wide');
  const weights = graph.initializer('weights', [256, 256], new Float32Array(256 * 256));
  graph.node('MatMul', [graph.input('x', 'float32', ['batch', 256]), weights], { outputs: ['y'] });
  graph.output('y', 'float32', ['batch', 256]);
  return encodeModel(graph.model(details));
}

/** A model that takes nothing and always gives [1, 2]. */
export function constant(): Uint8Array {
  const graph = new GraphBuilder('constant');
  graph.node('Identity', [graph.initializer('values', [2], Float32Array.of(1, 2))], { outputs: ['y'] });
  graph.output('y', 'float32', [2]);
  return encodeModel(graph.model(details));
}

/** Every model the tests serve, by the path of each file. */
export function modelFiles(): Record<string, string | Uint8Array> {
  const files: Record<string, string | Uint8Array> = {};
  for (const datatype of modelDatatypes) {
    files[`echo-${datatype}/model.yaml`] = invariant;
    files[`echo-${datatype}/1/model.onnx`] = echo(onnxTypes[datatype], ['batch', 2]);
  }
  const mixed = { numbers: ['float32', ['batch', 3]], counts: ['int64', ['batch', 2]] } as const;
  const trio = {
    half: ['float16', ['batch', 2]],
    words: ['string', ['batch', 1]],
    flags: ['bool', ['batch', 3]],
  } as const;
  return {
    ...files,
    'mixed/model.yaml': invariant,
    'mixed/1/model.onnx': echoAll(mixed),
    'trio/model.yaml': invariant,
    'trio/1/model.onnx': echoAll(trio),
    'fixed/model.yaml': invariant,
    'fixed/1/model.onnx': echo('float32', [2, 3]),
    'scalar/1/model.onnx': echo('float32', []),
    'word/1/model.onnx': echo('string', [1]),
    'sum/1/model.onnx': sum(),
    'free/model.yaml': invariant,
    'free/1/model.onnx': echo('int32', ['batch', 'width']),
    'constant/1/model.onnx': constant(),
    'leaning/model.yaml': `max_batch: ${mostRows}\n`,
    'leaning/1/model.onnx': leaning(),
    'picky/model.yaml': invariant,
    'picky/1/model.onnx': picky(),
    'adder/model.yaml': invariant,
    'adder/1/model.onnx': adder(1),
    'adder/2/model.onnx': adder(2),
    'adder/10/model.onnx': adder(10),
    'no-card/1/model.onnx': adder(0),
    'slow/model.yaml': `${invariant}warm_up: false\n`,
    'slow/1/model.onnx': slow(),
    'größer als 100%/1/model.onnx': adder(0.5),
  };
}

/** Files that cannot be served, and some that are no models at all. */
export const faultyFiles: Readonly<Record<string, string | Uint8Array>> = {
  'broken/1/model.onnx': 'this is no model',
  'half-broken/1/model.onnx': adder(1),
  'half-broken/2/model.onnx': 'nor is this',
  'bad-card/model.yaml': 'max_batch: many\n',
  'bad-card/1/model.onnx': adder(1),
  'no-yaml/model.yaml': 'max_batch: [\n',
  'no-yaml/1/model.onnx': adder(1),
  'list-card/model.yaml': '- max_batch: 1\n',
  'list-card/1/model.onnx': adder(1),
  'empty/README.md': 'there is no version here',
  'no-file/1/README.md': 'there is no model here',
  'README.md': 'a stray file',
  '.git/HEAD': 'a hidden folder',
};

/** Writes files below a folder of their own, which goes when the test has ended, and returns the folder. */
export function writeFiles(
  context: { after(call: () => void): void },
  files: Readonly<Record<string, string | Uint8Array>>,
): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-models-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}
