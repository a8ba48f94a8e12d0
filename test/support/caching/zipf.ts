import type { Rng } from '../../../gateway/kernel/rng.ts';

/** Draws numbers from 0 to below `count`, the n-th with a probability in proportion to 1 / (n + 1) ^ `exponent`. */
export function zipf(count: number, exponent: number, rng: Rng): () => number {
  const sums = new Float64Array(count);
  let sum = 0;
  for (let n = 0; n < count; n++) {
    sum += (n + 1) ** -exponent;
    sums[n] = sum;
  }
  return () => {
    const drawn = rng.next() * sum;
    let [from, to] = [0, count - 1];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((sums[middle] ?? sum) <= drawn) from = middle + 1;
      else to = middle;
    }
    return from;
  };
}
