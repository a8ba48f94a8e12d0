/** A figure as reports keep it: to 6 decimals at most, so that sums of microseconds do not end in noise. */
export function rounded<Value extends number | null>(value: Value): Value;
export function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 1e6) / 1e6;
}
