import type { Parameter } from './layers/layer.ts';

const meanMemory = 0.9;
const squareMemory = 0.999;

/** Moves parameters down their gradients. One for the life of a network, since it remembers how they moved. */
export interface Optimizer {
  /** One step by the gradients as they stand. The rate is about how far a parameter may move. */
  step(learningRate: number): void;
}

/**
 * Adam (Kingma and Ba, arXiv 1412.6980) with weight decay kept apart from the gradients (Loshchilov and Hutter, arXiv
 * 1711.05101): each step also shrinks every parameter by `weightDecay` times the learning rate.
 */
export function adam(parameters: readonly Parameter[], weightDecay: number): Optimizer {
  const moments = parameters.map(({ values, gradients }) => ({
    values,
    gradients,
    mean: new Float32Array(values.length),
    square: new Float32Array(values.length),
  }));
  let steps = 0;
  return {
    step(learningRate) {
      steps++;
      // Both moments start at zero and would be too small at first.
      const rate = (learningRate * Math.sqrt(1 - squareMemory ** steps)) / (1 - meanMemory ** steps);
      for (const { values, gradients, mean, square } of moments) {
        for (let at = 0; at < values.length; at++) {
          const gradient = gradients[at] ?? 0;
          const newMean = meanMemory * (mean[at] ?? 0) + (1 - meanMemory) * gradient;
          const newSquare = squareMemory * (square[at] ?? 0) + (1 - squareMemory) * gradient * gradient;
          mean[at] = newMean;
          square[at] = newSquare;
          const value = (values[at] ?? 0) * (1 - weightDecay * learningRate);
          values[at] = value - (rate * newMean) / (Math.sqrt(newSquare) + 1e-8);
        }
      }
    },
  };
}
