import type { Rng } from '../../kernel/rng.ts';
import { classes, edge } from './dataset.ts';
import { convolution, type Window } from './layers/convolution.ts';
import { dense } from './layers/dense.ts';
import { dropout } from './layers/dropout.ts';
import type { Layer, Parameter, Pass, Shape } from './layers/layer.ts';
import { maxPool } from './layers/max-pool.ts';
import { relu } from './layers/relu.ts';

/** A layer as a recipe names it; its input is what the layer before gives. */
export type LayerPlan =
  | ({ readonly kind: 'convolution' } & Window)
  | { readonly kind: 'dense'; readonly units: number }
  | { readonly kind: 'dropout'; readonly share: number }
  | { readonly kind: 'max-pool' }
  | { readonly kind: 'relu' };

/** A layer in its place in a network. */
export interface PlacedLayer {
  readonly plan: LayerPlan;
  readonly input: Shape;
  readonly layer: Layer;
}

/** Layers one behind the other. */
export interface Network {
  readonly placed: readonly PlacedLayer[];
  readonly parameters: readonly Parameter[];
  readonly multiplyAdds: number;
  /** The last layer's outputs for a batch, valid until the next call. */
  forward(images: Float32Array, pass: Pass): Float32Array;
  /** Fills the parameters' gradients from the slopes of the loss along the outputs of the `forward` just before. */
  backward(slopes: Float32Array, pass: Pass): void;
}

/** What a network for digits takes: images as the data set has them, divided by 16. */
export const imageShape: Shape = { height: edge, width: edge, channels: 1 };

/** A network with fresh random weights. Its first layer takes what `input` says; its last must give one number a class. */
export function newNetwork(plans: readonly LayerPlan[], input: Shape, rng: Rng): Network {
  const placed: PlacedLayer[] = [];
  let shape = input;
  for (const plan of plans) {
    const layer = newLayer(plan, shape, rng);
    placed.push({ plan, input: shape, layer });
    shape = layer.output;
  }
  if (shape.height * shape.width !== 1)
    throw new RangeError(`the last layer gives an image, wanted ${classes} numbers`);
  const backwards = placed.toReversed();
  return {
    placed,
    parameters: placed.flatMap(({ layer }) => layer.parameters),
    multiplyAdds: placed.reduce((sum, { layer }) => sum + layer.multiplyAdds, 0),
    forward: (images, pass) => placed.reduce((values, { layer }) => layer.forward(values, pass), images),
    backward(slopes, pass) {
      backwards.reduce((at, { layer }) => layer.backward(at, pass), slopes);
    },
  };
}

function newLayer(plan: LayerPlan, input: Shape, rng: Rng): Layer {
  switch (plan.kind) {
    case 'convolution':
      return convolution(input, plan, rng);
    case 'dense':
      return dense(input, plan.units, rng);
    case 'dropout':
      return dropout(input, plan.share);
    case 'max-pool':
      return maxPool(input);
    case 'relu':
      return relu(input);
  }
}
