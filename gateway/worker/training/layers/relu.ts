import { type Layer, type Shape, scratch } from './layer.ts';

/** A layer that lets what is positive through and makes the rest zero. */
export function relu(input: Shape): Layer {
  const memory = { outputs: scratch(), slopes: scratch() };
  let outputs = memory.outputs(0);
  return {
    output: input,
    parameters: [],
    multiplyAdds: 0,
    forward(images) {
      outputs = memory.outputs(images.length);
      for (let at = 0; at < outputs.length; at++) outputs[at] = Math.max(0, images[at] ?? 0);
      return outputs;
    },
    backward(slopes) {
      const inputSlopes = memory.slopes(slopes.length);
      for (let at = 0; at < slopes.length; at++) inputSlopes[at] = (outputs[at] ?? 0) > 0 ? (slopes[at] ?? 0) : 0;
      return inputSlopes;
    },
  };
}
