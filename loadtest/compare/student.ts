/** The share of a standard normal distribution below a value (Abramowitz and Stegun 26.2.17, within 7.5e-8). */
export function normalShareBelow(value: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(value));
  const density = Math.exp((-value * value) / 2) / Math.sqrt(2 * Math.PI);
  const coefficients = [1.330274429, -1.821255978, 1.781477937, -0.356563782, 0.31938153];
  const above = density * coefficients.reduce((sum, coefficient) => (sum + coefficient) * t, 0);
  return value > 0 ? 1 - above : above;
}

/** The share of Student's t with some whole degrees of freedom that lies within -`value` and `value` (Abramowitz and Stegun 26.7.3 and 26.7.4). */
export function studentShareWithin(value: number, freedom: number): number {
  const angle = Math.atan(value / Math.sqrt(freedom));
  const cosine = Math.cos(angle);
  const isOdd = freedom % 2 === 1;
  let term = isOdd ? cosine : 1;
  let sum = freedom === 1 ? 0 : term;
  for (let at = isOdd ? 3 : 2; at < freedom; at += 2) {
    term *= ((at - 1) / at) * cosine * cosine;
    sum += term;
  }
  return isOdd ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum;
}

/** The value within which, on both sides of 0, a share of Student's t lies. */
export function studentBound(share: number, freedom: number): number {
  let low = 0;
  let high = 1e6;
  for (let round = 0; round < 100; round++) {
    const middle = (low + high) / 2;
    if (studentShareWithin(middle, freedom) < share) low = middle;
    else high = middle;
  }
  return high;
}
