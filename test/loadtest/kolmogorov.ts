import assert from 'node:assert/strict';

/**
 * Fails unless some values could be drawn from a distribution, given as the probability of a value up to some x. The largest distance
 * between the two may be 2.1 / sqrt(n), which chance alone exceeds once in 3,400 tests (Kolmogorov, 1933: 2 * exp(-2 * 2.1^2)).
 */
export function assertDistributed(values: readonly number[], upTo: (x: number) => number, context: string): void {
  const sorted = values.toSorted((a, b) => a - b);
  const distance = sorted.reduce((largest, value, at) => {
    const expected = upTo(value);
    return Math.max(largest, expected - at / sorted.length, (at + 1) / sorted.length - expected);
  }, 0);
  const bound = 2.1 / Math.sqrt(sorted.length);
  assert.ok(distance <= bound, `${context}: distance ${distance.toFixed(4)} exceeds ${bound.toFixed(4)}`);
}

/** The probability that a value with mean 1 that is gamma distributed with a whole shape is at most x (Erlang). */
export function erlang(shape: number, x: number): number {
  let term = Math.exp(-shape * x);
  let above = 0;
  for (let k = 0; k < shape; k++) {
    above += term;
    term *= (shape * x) / (k + 1);
  }
  return 1 - above;
}

/** The probability that a value with mean 1 that is gamma distributed with shape 1/2 is at most x: erf(sqrt(x / 2)), by its series (Abramowitz and Stegun, 7.1.6). */
export function halfGamma(x: number): number {
  if (x > 60) return 1;
  const z = Math.sqrt(x / 2);
  let term = z;
  let sum = z;
  for (let n = 1; term > 1e-17 * sum; n++) {
    term *= (2 * z * z) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-z * z) * sum;
}
