import { int, ints } from '../onnx/attribute.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import type { Model } from '../onnx/model.ts';
import { classes, pixels } from './dataset.ts';
import { type Shape, sizeOf } from './layers/layer.ts';
import type { Network, PlacedLayer } from './network.ts';

/** What a file says of itself. */
export interface ModelNames {
  readonly name: string;
  readonly docString: string;
}

/**
 * A trained network as an ONNX model that takes images as the data set has them (`image`, 0 to 16) and gives the digit
 * (`label`) and the chance of each (`probabilities`). ONNX keeps channels apart, outermost, where the network keeps them
 * side by side, innermost: weights change places accordingly, and the sums are over the same products.
 */
export function toOnnx(network: Network, names: ModelNames): Model {
  const graph = new GraphBuilder(names.name);
  const image = graph.input('image', 'float32', ['batch', pixels]);
  const sixteenth = graph.initializer('sixteenth', [], Float32Array.of(1 / 16));
  // A 0 in the new shape keeps the extent of the old one: an empty batch stays empty.
  const shape = graph.initializer('image_shape', [4], BigInt64Array.of(0n, 1n, 8n, 8n));
  let value = graph.node('Reshape', [graph.node('Mul', [image, sixteenth]), shape]);
  const firstDense = network.placed.findIndex(({ plan }) => plan.kind === 'dense');
  for (const [at, placed] of network.placed.entries()) {
    if (at === firstDense) value = graph.node('Flatten', [value]);
    value = addLayer(graph, value, placed, `layer${at}`);
  }
  const probabilities = graph.node('Softmax', [value], { attributes: { axis: int(1) }, outputs: ['probabilities'] });
  graph.node('ArgMax', [probabilities], { attributes: { axis: int(1), keepdims: int(0) }, outputs: ['label'] });
  graph.output('label', 'int64', ['batch']);
  graph.output('probabilities', 'float32', ['batch', classes]);
  return graph.model({
    irVersion: 8,
    producerName: 'headgate',
    operatorSets: { '': 17 },
    docString: names.docString,
  });
}

/** Adds what answers as the layer does; gives the name of its output. */
function addLayer(graph: GraphBuilder, value: string, placed: PlacedLayer, name: string): string {
  const { plan } = placed;
  switch (plan.kind) {
    case 'convolution': {
      const window = { height: plan.kernel, width: plan.kernel, channels: placed.input.channels };
      const attributes = {
        kernel_shape: ints([plan.kernel, plan.kernel]),
        strides: ints([plan.stride, plan.stride]),
        pads: ints([plan.padding, plan.padding, plan.padding, plan.padding]),
      };
      const dims = [plan.channels, window.channels, plan.kernel, plan.kernel];
      return graph.node('Conv', [value, ...addWeights(graph, placed, { name, window, dims })], { attributes });
    }
    case 'dense': {
      const dims = [plan.units, sizeOf(placed.input)];
      const weights = addWeights(graph, placed, { name, window: placed.input, dims });
      return graph.node('Gemm', [value, ...weights], { attributes: { transB: int(1) } });
    }
    case 'max-pool':
      return graph.node('MaxPool', [value], { attributes: { kernel_shape: ints([2, 2]), strides: ints([2, 2]) } });
    case 'relu':
      return graph.node('Relu', [value]);
    case 'dropout':
      return value;
  }
}

interface Weights {
  readonly name: string;
  /** What one output sees. */
  readonly window: Shape;
  readonly dims: readonly number[];
}

/** Adds a layer's weights and biases as constants; gives their names. */
function addWeights(graph: GraphBuilder, { layer }: PlacedLayer, { name, window, dims }: Weights): string[] {
  const [weights, biases] = layer.parameters;
  if (weights === undefined || biases === undefined) throw new TypeError(`layer ${name} has no weights`);
  return [
    graph.initializer(`${name}_weights`, dims, channelsFirst(weights.values, window)),
    graph.initializer(`${name}_biases`, [biases.values.length], biases.values),
  ];
}

/** Weights ordered output, channel, pixel from weights ordered output, pixel, channel. */
function channelsFirst(weights: Float32Array, window: Shape): Float32Array {
  const size = sizeOf(window);
  const area = window.height * window.width;
  return weights.map((_, at) => {
    const output = Math.floor(at / size);
    const channel = Math.floor((at % size) / area);
    return weights[output * size + (at % area) * window.channels + channel] ?? 0;
  });
}
