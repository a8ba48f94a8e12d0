import { nothing } from '../wording.ts';
import type { Paper } from './frame.ts';
import { type Axis, logTicks, roundTicks, scale } from './scale.ts';

/** Ratios beyond this are drawn on a logarithmic axis, where the small ones can still be read. */
const mostLinearRatio = 40;

/** The y axis of some values: from 0, or logarithmic where durations are too far apart for that. */
export function valueAxis(values: readonly (number | null)[], unit: string, sheet: Paper): Axis {
  const present = values.flatMap((value) => (value === null || value <= 0 ? [] : [value]));
  const [least, most] = [Math.min(...present), Math.max(...present)];
  if (unit !== 'ms' || present.length === 0 || most / least <= mostLinearRatio)
    return countAxis(present.length === 0 ? 1 : most, unit, sheet);
  const ticks = logTicks(least, most);
  const range = [ticks[0] ?? least, ticks.at(-1) ?? most] as const;
  return {
    scale: scale('log', range, [sheet.bottom, sheet.top]),
    title: `${unit}, logarithmic`,
    ticks: ticks.map((value) => ({ value, label: describeTick(value) })),
  };
}

/** A y axis from 0 to a round number that is not less than the most. */
export function countAxis(most: number, title: string, sheet: Paper): Axis {
  const ticks = roundTicks(most, 4);
  return {
    scale: scale('linear', [0, ticks.at(-1) ?? most], [sheet.bottom, sheet.top]),
    title,
    ticks: ticks.map((value) => ({ value, label: describeTick(value) })),
  };
}

/** A number as it stands on an axis: without the digits that a figure has. */
export function describeTick(value: number | null): string {
  return value === null ? nothing : value.toLocaleString('en-US', { maximumFractionDigits: 4 });
}
