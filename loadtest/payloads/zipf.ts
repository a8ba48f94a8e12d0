import type { Rng } from '../../gateway/kernel/rng.ts';

/** Draws a key from 0: key k with a probability in proportion to (k + 1) ** -exponent. */
export function zipfOf(exponent: number, keys: number): (rng: Rng) => number {
  const upTo = new Float64Array(keys);
  let total = 0;
  for (let key = 0; key < keys; key++) {
    total += (key + 1) ** -exponent;
    upTo[key] = total;
  }
  return (rng) => firstAbove(upTo, rng.next() * total);
}

/** The first place of a rising list whose value exceeds another; the last where none does. */
function firstAbove(rising: Float64Array, value: number): number {
  let low = 0;
  let high = rising.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rising[middle] ?? 0) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
