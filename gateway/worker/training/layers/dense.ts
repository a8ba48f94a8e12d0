import type { Rng } from '../../../kernel/rng.ts';
import { type Layer, type Shape, sizeOf } from './layer.ts';
import { newLinear } from './linear.ts';

/** A layer in which every output sees every input. */
export function dense(input: Shape, units: number, rng: Rng): Layer {
  const linear = newLinear(sizeOf(input), units, rng);
  let rows: Float32Array = new Float32Array(0);
  return {
    output: { height: 1, width: 1, channels: units },
    parameters: linear.parameters,
    multiplyAdds: sizeOf(input) * units,
    forward(images, pass) {
      rows = images;
      return linear.forward(images, pass.images);
    },
    backward: (slopes, pass) => linear.backward(rows, slopes, pass.images),
  };
}
