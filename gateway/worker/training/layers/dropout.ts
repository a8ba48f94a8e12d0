import { type Layer, type Shape, scratch } from './layer.ts';

/**
 * A layer that while learning blots out a random share of its inputs and raises the rest to match, so that nothing can
 * rely on a single one (Srivastava et al., JMLR 15, 2014). When answering it lets everything through.
 */
export function dropout(input: Shape, share: number): Layer {
  const memory = { factors: scratch(), outputs: scratch(), slopes: scratch() };
  let factors: Float32Array | null = null;
  return {
    output: input,
    parameters: [],
    multiplyAdds: 0,
    forward(images, { rng }) {
      if (rng === null) {
        factors = null;
        return images;
      }
      factors = memory.factors(images.length);
      for (let at = 0; at < factors.length; at++) factors[at] = rng.next() < share ? 0 : 1 / (1 - share);
      return product(images, factors, memory.outputs(images.length));
    },
    backward: (slopes) => (factors === null ? slopes : product(slopes, factors, memory.slopes(slopes.length))),
  };
}

function product(a: Float32Array, b: Float32Array, into: Float32Array): Float32Array {
  for (let at = 0; at < into.length; at++) into[at] = (a[at] ?? 0) * (b[at] ?? 0);
  return into;
}
