import type { Rng } from '../../../kernel/rng.ts';
import { multiply, transpose } from '../matrix.ts';
import { type Parameter, scratch } from './layer.ts';

/** A weighted sum plus a bias for each output, applied to many rows of inputs: what dense and convolution layers share. */
export interface Linear {
  /** Weights (`outputs` x `inputs`, row by row), then biases. */
  readonly parameters: readonly [Parameter, Parameter];
  forward(rows: Float32Array, count: number): Float32Array;
  /** As `Layer.backward`; `rows` is what `forward` was given. */
  backward(rows: Float32Array, slopes: Float32Array, count: number): Float32Array;
}

/** A linear map with random weights of the size that keeps signals level through rectifiers (He et al., arXiv 1502.01852). */
export function newLinear(inputs: number, outputs: number, rng: Rng): Linear {
  const weights = newParameter(inputs * outputs);
  const biases = newParameter(outputs);
  const deviation = Math.sqrt(2 / inputs);
  for (let at = 0; at < weights.values.length; at++) weights.values[at] = deviation * normal(rng);
  const memory = { sums: scratch(), inputSlopes: scratch(), a: scratch(), b: scratch(), weights: scratch() };
  return {
    parameters: [weights, biases],
    forward(rows, count) {
      const sums = memory.sums(count * outputs);
      multiply(rows, weights.values, sums, { rows: count, columns: outputs, depth: inputs });
      for (let at = 0; at < sums.length; at++) sums[at] = (sums[at] ?? 0) + (biases.values[at % outputs] ?? 0);
      return sums;
    },
    backward(rows, slopes, count) {
      const outputsFirst = memory.a(count * outputs);
      const inputsFirst = memory.b(count * inputs);
      transpose(slopes, outputsFirst, count, outputs);
      transpose(rows, inputsFirst, count, inputs);
      multiply(outputsFirst, inputsFirst, weights.gradients, { rows: outputs, columns: inputs, depth: count });
      sumRows(outputsFirst, biases.gradients);

      const turned = memory.weights(inputs * outputs);
      transpose(weights.values, turned, outputs, inputs);
      const inputSlopes = memory.inputSlopes(count * inputs);
      multiply(slopes, turned, inputSlopes, { rows: count, columns: inputs, depth: outputs });
      return inputSlopes;
    },
  };
}

function newParameter(size: number): Parameter {
  return { values: new Float32Array(size), gradients: new Float32Array(size) };
}

/** The sum of each row of a matrix that has as many rows as `into` has places. */
function sumRows(matrix: Float32Array, into: Float32Array): void {
  const columns = matrix.length / into.length;
  for (let row = 0; row < into.length; row++) {
    let sum = 0;
    for (let column = 0; column < columns; column++) sum += matrix[row * columns + column] ?? 0;
    into[row] = sum;
  }
}

/** A draw from the normal distribution (Box and Muller, 1958). */
function normal(rng: Rng): number {
  return Math.sqrt(-2 * Math.log(1 - rng.next())) * Math.cos(2 * Math.PI * rng.next());
}
