import { type Layer, type Shape, scratch, sizeOf } from './layer.ts';

/** A layer that keeps the largest of each square of two by two pixels, channel by channel. The edges must be even. */
export function maxPool(input: Shape): Layer {
  const { height, width, channels } = input;
  if (height % 2 !== 0 || width % 2 !== 0)
    throw new RangeError(`cannot halve an image of ${height} by ${width} pixels`);
  const output = { height: height / 2, width: width / 2, channels };
  const memory = { outputs: scratch(), slopes: scratch() };
  /** For each output, where its input lay. */
  let sources = new Uint32Array(0);
  return {
    output,
    parameters: [],
    multiplyAdds: 0,
    forward(images, pass) {
      const size = pass.images * sizeOf(output);
      const outputs = memory.outputs(size);
      if (sources.length < size) sources = new Uint32Array(size);
      for (let at = 0; at < size; at++) {
        const column = Math.floor(at / channels) % output.width;
        // Lines of outputs lie one behind the other over the whole batch, as do lines of inputs, two for each.
        const line = Math.floor(at / (channels * output.width));
        const first = (line * 2 * width + column * 2) * channels + (at % channels);
        let source = first;
        for (const other of [first + channels, first + width * channels, first + (width + 1) * channels]) {
          if ((images[other] ?? 0) > (images[source] ?? 0)) source = other;
        }
        sources[at] = source;
        outputs[at] = images[source] ?? 0;
      }
      return outputs;
    },
    backward(slopes, pass) {
      const inputSlopes = memory.slopes(pass.images * sizeOf(input));
      inputSlopes.fill(0);
      for (let at = 0; at < slopes.length; at++) inputSlopes[sources[at] ?? 0] = slopes[at] ?? 0;
      return inputSlopes;
    },
  };
}
