import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import ort from 'onnxruntime-node';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { float, floats, int, ints, tensor, text } from '../../gateway/worker/onnx/attribute.ts';
import { decodeModel, encodeModel, loadModel, saveModel } from '../../gateway/worker/onnx/file.ts';
import { GraphBuilder } from '../../gateway/worker/onnx/graph-builder.ts';
import type { Attribute, Graph, Model, Node, Tensor } from '../../gateway/worker/onnx/model.ts';
import { type Elements, elementsOf, newTensor } from '../../gateway/worker/onnx/tensor.ts';
import { pixels } from '../../gateway/worker/training/dataset.ts';
import { probabilitiesOf } from '../../gateway/worker/training/loss.ts';
import { imageShape, type LayerPlan, type Network, newNetwork } from '../../gateway/worker/training/network.ts';
import { openDigits } from '../../gateway/worker/training/onnx-digits.ts';
import { toOnnx } from '../../gateway/worker/training/to-onnx.ts';
import { answer } from '../../gateway/worker/training/trainer.ts';

const details = { irVersion: 8, producerName: 'headgate', operatorSets: { '': 17 } };

/** One of everything the builder makes: every kind of attribute, extents with and without names, an output more than one. */
function builtModel(): Model {
  const graph = new GraphBuilder('everything');
  const x = graph.input('x', 'float32', ['batch', 4]);
  const bias = graph.initializer('bias', [4], Float32Array.of(1, -2, 0.1, 3));
  const shape = graph.initializer('shape', [2], BigInt64Array.of(0n, -1n));
  const leaky = graph.node('LeakyRelu', [graph.node('Add', [x, bias])], { attributes: { alpha: float(0.1) } });
  const reshaped = graph.node('Reshape', [leaky, shape], { attributes: { allowzero: int(0) } });
  graph.node('Split', [reshaped], { attributes: { axis: int(1) }, outputs: ['left', 'right'] });
  const constant = graph.node('Constant', [], {
    attributes: { value: tensor(newTensor('', [2], Float32Array.of(5, 6))) },
  });
  const scales = graph.node('Constant', [], { attributes: { value_floats: floats([0.5, 0.25]) } });
  const turned = graph.node('Transpose', ['right'], { attributes: { perm: ints([0, 1]) } });
  const sum = graph.node('Mul', [graph.node('Add', [turned, constant]), scales]);
  graph.node('Gelu', [sum], { domain: 'com.microsoft', outputs: ['gelu'] });
  graph.node('Pad', ['left', graph.initializer('pads', [4], BigInt64Array.of(0n, 1n, 0n, 0n)), ''], {
    attributes: { mode: text('reflect') },
    outputs: ['padded'],
  });
  graph.output('padded', 'float32', ['batch', 3]);
  graph.output('gelu', 'float32', ['batch', 2]);
  return graph.model({ ...details, operatorSets: { '': 17, 'com.microsoft': 1 }, docString: 'for a test' });
}

test('a written model is read back equal', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-onnx-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'model.onnx');
  const model = builtModel();
  await saveModel(file, model);
  const read = await loadModel(file);
  assert.deepEqual(read, model);
  assert.deepEqual(encodeModel(read), new Uint8Array(await readFile(file)));
});

test('onnxruntime computes what the builder wrote', async () => {
  const session = await ort.InferenceSession.create(encodeModel(builtModel()));
  const { padded, gelu } = await session.run({ x: new ort.Tensor('float32', Float32Array.of(1, 2, -10, 4), [1, 4]) });
  assert.deepEqual(padded?.data, Float32Array.of(0, 2, 0)); // [1, 2] + [1, -2], mirrored about its first.
  const exact = [(5 - 0.99) / 2, (6 + 7) / 4].map((x) => (x * (1 + erf(x / Math.SQRT2))) / 2);
  for (const [at, wanted] of exact.entries()) assert.ok(Math.abs(Number(gelu?.data[at]) - wanted) < 1e-5);
  await session.release();
});

test('every field of the format survives reading and writing, also those nothing here uses', () => {
  const model = fullModel();
  const bytes = encodeModel(model);
  const read = decodeModel(bytes);
  assert.deepEqual(read, model);
  assert.deepEqual(encodeModel(read), bytes);
});

test('fields that say 0 or nothing are told from fields left out', () => {
  const graph = new GraphBuilder('zeros');
  graph.node('Constant', [], { attributes: { value_int: int(0) } });
  const [attribute] = decodeModel(encodeModel(graph.model(details))).graph?.nodes[0]?.attributes ?? [];
  assert.equal(attribute?.int, 0n);
  assert.ok(attribute !== undefined && !('float' in attribute));
});

test('a model that onnxruntime wrote gives the same answers after it was read and written', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-onnx-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'optimized.onnx');
  const bytes = encodeModel(toOnnx(smallNetwork(), { name: 'net', docString: '' }));
  const writer = await ort.InferenceSession.create(bytes, {
    optimizedModelFilePath: file,
    graphOptimizationLevel: 'extended',
  });
  await writer.release();
  const images = testImages(5);
  const answers = await answersOf(new Uint8Array(await readFile(file)), images);
  const model = await loadModel(file);
  assert.ok(model.graph?.nodes.some(({ domain }) => domain === 'com.microsoft'));
  assert.deepEqual(await answersOf(encodeModel(model), images), answers);
});

test('an exported network gives in onnxruntime what it gives here, to 1e-5 of a probability', async () => {
  for (const network of [smallNetwork(), stridingNetwork()]) {
    const images = testImages(64);
    const { labels, probabilities } = await answersOf(
      encodeModel(toOnnx(network, { name: 'n', docString: '' })),
      images,
    );
    const wanted = probabilitiesOf(answer(network, images), 10);
    const errors = probabilities.map((chance, at) => Math.abs(chance - (wanted[at] ?? Number.NaN)));
    assert.ok(Math.max(...errors) < 1e-5, `${Math.max(...errors)}`);
    assert.ok(new Set(labels).size > 1, 'a network that always says the same would prove little');
  }
});

test('an exported network answers no image, one, and a full batch', async () => {
  const bytes = encodeModel(toOnnx(smallNetwork(), { name: 'net', docString: '' }));
  for (const count of [0, 1, 64]) {
    const { labels, probabilities } = await answersOf(bytes, testImages(count));
    assert.deepEqual([labels.length, probabilities.length], [count, count * 10]);
  }
});

test('the elements of a tensor are found wherever the file keeps them', () => {
  const none = { ...newTensor('x', [0], new Float32Array(0)), dims: [2n] };
  const { rawData: _, ...listed } = none;
  const kept: [Partial<Tensor>, Elements][] = [
    [{ elementType: 1, floatData: [1, 2.5] }, Float32Array.of(1, 2.5)],
    [{ elementType: 11, doubleData: [1, 0.1] }, Float64Array.of(1, 0.1)],
    [{ elementType: 7, int64Data: [1n, -(2n ** 63n)] }, BigInt64Array.of(1n, -(2n ** 63n))],
    [{ elementType: 13, uint64Data: [1n, 2n ** 64n - 1n] }, BigUint64Array.of(1n, 2n ** 64n - 1n)],
    [{ elementType: 12, uint64Data: [1n, 2n ** 32n - 1n] }, Uint32Array.of(1, 2 ** 32 - 1)],
    [{ elementType: 3, int32Data: [1, -128] }, Int8Array.of(1, -128)],
    [{ elementType: 6, int32Data: [1, -(2 ** 31)] }, Int32Array.of(1, -(2 ** 31))],
  ];
  for (const [fields, elements] of kept) {
    const tensor: Tensor = { ...listed, ...fields };
    const model = decodeModel(encodeModel({ ...builtModel(), graph: { ...emptyGraph, initializers: [tensor] } }));
    assert.deepEqual(elementsOf(model.graph?.initializers[0] ?? none), elements);
    assert.deepEqual(elementsOf(newTensor('x', [1, 2], elements)), elements);
  }
});

test('elements that are not at hand are refused, not invented', () => {
  const here = newTensor('x', [1], Float32Array.of(1));
  assert.throws(() => elementsOf({ ...here, dataLocation: 1 }), /tensor x lie in another file/);
  assert.throws(() => elementsOf({ ...here, elementType: 8 }), /element type 8/);
});

test('the builder refuses what onnxruntime would refuse later', () => {
  const graph = new GraphBuilder('net');
  graph.input('x', 'float32', [1]);
  assert.throws(() => graph.input('x', 'float32', [1]), /net already has a value named x/);
  assert.throws(() => graph.node('Relu', ['x'], { outputs: ['x'] }), /already has a value named x/);
  assert.throws(() => graph.node('Relu', ['y']), /net has no value named y/);
  assert.throws(() => graph.output('y', 'float32', [1]), /net has no value named y/);
  assert.throws(() => graph.initializer('w', [2, 3], new Float32Array(5)), /shape \[2,3\] holds 6 elements, got 5/);
  assert.throws(() => decodeModel(Uint8Array.of(0x3a, 0x7f, 1)), RangeError);
});

const emptyGraph: Graph = {
  nodes: [],
  initializers: [],
  sparseInitializers: [],
  inputs: [],
  outputs: [],
  values: [],
  quantization: [],
  metadata: [],
};

/** A model that holds every field of every message, with the largest numbers where size matters. It computes nothing. */
function fullModel(): Model {
  const most = 2n ** 63n - 1n;
  const metadata = [{ key: 'k', value: 'v' }];
  const notes = { docString: 'note', metadata };
  const bytes = Uint8Array.of(0, 255, 7);
  const tensor: Tensor = {
    ...{ name: 't', dims: [1n, most], elementType: 7, dataLocation: 1, segment: { begin: 0n, end: most }, ...notes },
    ...{ floatData: [0.5], int32Data: [-1], stringData: [bytes], int64Data: [-most], doubleData: [0.1] },
    ...{ uint64Data: [2n ** 64n - 1n], rawData: bytes, externalData: [{ key: 'location', value: 'weights.bin' }] },
  };
  const sparse = { values: tensor, indices: tensor, dims: [3n] };
  const shape = { dims: [{ value: -1n }, { name: 'batch', denotation: 'DATA_BATCH' }, {}] };
  const valueTypes = [
    { tensor: { elementType: 1, shape } },
    { sequence: { elementType: { tensor: { elementType: 1 } } } },
    { map: { keyType: 7, valueType: { tensor: { shape } } } },
    { optional: { elementType: { sparseTensor: { elementType: 1, shape } } } },
    { opaque: { domain: 'd', name: 'o' }, denotation: 'IMAGE' },
  ];
  const values = valueTypes.map((type, at) => ({ name: `v${at}`, type, ...notes }));
  const inner = { ...emptyGraph, name: 'inner' };
  const attribute: Attribute = {
    ...{ name: 'a', type: 14, refersTo: 'b', docString: 'note', float: 0.5, int: most, string: bytes, tensor },
    ...{ graph: inner, sparseTensor: sparse, valueType: { tensor: { elementType: 1 } }, floats: [1], ints: [-most] },
    ...{ strings: [bytes], tensors: [tensor], graphs: [inner], sparseTensors: [sparse], valueTypes },
  };
  const shards = [
    { value: 2n, count: 3n },
    { name: 'n', count: 1n },
  ];
  const dims = [{ axis: -1n, shards }];
  const sharding = [{ tensorName: 't', devices: [0n], groups: [{ index: 0n, devices: [1n] }], dims }];
  const node: Node = {
    ...{ inputs: ['i'], outputs: ['o'], name: 'n', operator: 'Op', domain: 'd', overload: 'v', ...notes },
    ...{ attributes: [attribute], devices: [{ configuration: 'c', sharding, pipelineStage: 1 }] },
  };
  const graph: Graph = {
    ...{ name: 'g', nodes: [node], initializers: [tensor], sparseInitializers: [sparse], ...notes },
    ...{ inputs: values, outputs: values, values, quantization: [{ tensorName: 't', parameterNames: metadata }] },
  };
  const operatorSets = [{ version: 17n }, { domain: 'd', version: 1n }];
  const signature = { inputs: ['i'], outputs: ['o'], attributeNames: ['a'], attributeDefaults: [attribute] };
  const bindings = { initializationBindings: metadata, updateBindings: metadata };
  return {
    ...{ irVersion: 14n, producerName: 'p', producerVersion: '1', domain: 'd', modelVersion: most, ...notes },
    ...{ operatorSets, graph, training: [{ initialization: inner, algorithm: inner, ...bindings }] },
    functions: [{ name: 'f', domain: 'd', overload: 'v', ...signature, nodes: [node], values, operatorSets, ...notes }],
    configurations: [{ name: 'c', deviceCount: 2, devices: ['x', 'y'] }],
  };
}

function smallNetwork(): Network {
  return networkOf([
    { kind: 'convolution', channels: 8, kernel: 3, stride: 1, padding: 1 },
    { kind: 'relu' },
    { kind: 'max-pool' },
    { kind: 'dropout', share: 0.5 },
    { kind: 'dense', units: 24 },
    { kind: 'relu' },
    { kind: 'dense', units: 10 },
  ]);
}

function stridingNetwork(): Network {
  return networkOf([
    { kind: 'convolution', channels: 5, kernel: 3, stride: 2, padding: 1 },
    { kind: 'relu' },
    { kind: 'convolution', channels: 6, kernel: 4, stride: 1, padding: 0 },
    { kind: 'relu' },
    { kind: 'dense', units: 10 },
  ]);
}

/** A network whose biases are not zero, as they are before it has learnt. */
function networkOf(plans: readonly LayerPlan[]): Network {
  const rng = seededRng(8);
  const network = newNetwork(plans, imageShape, rng);
  for (const { values } of network.parameters) {
    for (const [at, value] of values.entries()) values[at] = value + (rng.next() - 0.5) / 5;
  }
  return network;
}

function testImages(count: number): Float32Array {
  const rng = seededRng(9);
  return Float32Array.from({ length: count * pixels }, () => (rng.next() < 0.2 ? rng.below(17) : 0));
}

async function answersOf(bytes: Uint8Array, images: Float32Array) {
  const model = await openDigits(bytes, 1);
  const answers = await model.answer(images);
  await model.close();
  return answers;
}

/** The error function, by its series. */
function erf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 60; n++) {
    term *= -(x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}
