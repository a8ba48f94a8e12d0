/** The chances a network's raw outputs stand for, `classes` to a row (softmax). */
export function probabilitiesOf(outputs: Float32Array, classes: number): Float32Array {
  const probabilities = new Float32Array(outputs.length);
  for (let row = 0; row < outputs.length; row += classes) {
    const highest = Math.max(...outputs.subarray(row, row + classes));
    let sum = 0;
    for (let at = row; at < row + classes; at++) sum += Math.exp((outputs[at] ?? 0) - highest);
    for (let at = row; at < row + classes; at++) probabilities[at] = Math.exp((outputs[at] ?? 0) - highest) / sum;
  }
  return probabilities;
}

/** How wrong a batch of answers was. */
export interface Verdict {
  /** The mean over the images of minus the logarithm of the chance given to the truth. */
  readonly loss: number;
  readonly correct: number;
  /** The slopes of the loss along the raw outputs. */
  readonly slopes: Float32Array;
}

/**
 * Compares raw outputs with the truth. With `doubt` above 0 that share of the truth is spread evenly over all classes
 * (label smoothing, Szegedy et al., arXiv 1512.00567), which keeps a network from growing too sure of itself.
 */
export function judge(outputs: Float32Array, labels: Uint8Array, doubt: number): Verdict {
  const count = labels.length;
  const classes = outputs.length / count;
  const probabilities = probabilitiesOf(outputs, classes);
  const slopes = new Float32Array(outputs.length);
  let loss = 0;
  let correct = 0;
  for (let row = 0; row < count; row++) {
    const label = labels[row] ?? 0;
    const chances = probabilities.subarray(row * classes, (row + 1) * classes);
    if (highestOf(chances) === label) correct++;
    for (const [at, chance] of chances.entries()) {
      const truth = doubt / classes + (at === label ? 1 - doubt : 0);
      // A chance too small for 32 bits counts as the smallest: the loss stays a number.
      if (truth > 0) loss -= (truth * Math.log(Math.max(chance, 1e-38))) / count;
      slopes[row * classes + at] = (chance - truth) / count;
    }
  }
  return { loss, correct, slopes };
}

/** The place of the largest number, the first of several. */
export function highestOf(numbers: Float32Array): number {
  let highest = 0;
  for (let at = 1; at < numbers.length; at++) if ((numbers[at] ?? 0) > (numbers[highest] ?? 0)) highest = at;
  return highest;
}
