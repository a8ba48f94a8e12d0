/** What rounds gave: the middle one, and how far they lie apart. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Of at least one value. */
export function spreadOf(values: readonly number[]): Spread {
  return { median: quantileOf(values, 0.5), least: quantileOf(values, 0), most: quantileOf(values, 1) };
}

/** Nearest rank, from 0 to 1; 0 of nothing. */
export function quantileOf(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
}

/** `1.53 (1.41 .. 1.70)` */
export function inWords({ median, least, most }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${least.toFixed(digits)} .. ${most.toFixed(digits)})`;
}
