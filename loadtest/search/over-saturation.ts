import type { Summary } from '../report/summary.ts';

/** A slope of so many standard errors is no chance: neighbouring steps resemble each other, so the 2 of independent ones would cry wolf. */
const leastSlopeErrors = 5;

/** Steps fewer than these cannot show a trend. */
const fewestSteps = 6;

/** A queue that grows by less than this share of what is offered is a queue still finding its level. */
const leastGrowthShare = 0.02;

/** Whether the target was offered more than it can do: what is in flight and how long answers take both kept rising through the measured time. */
export function isOverSaturated({ series: { stepMs, steps }, window }: Pick<Summary, 'series' | 'window'>): boolean {
  // The last step is cut off by the end of the schedule, and what comes after it is the queue running empty.
  const whole = steps.filter(({ fromMs }) => fromMs >= window.fromMs && fromMs + stepMs <= window.untilMs);
  const answered = whole.flatMap(({ p50Ms }) => p50Ms ?? []);
  if (whole.length < fewestSteps || answered.length < fewestSteps) return false;
  const inFlight = trendOf(whole.map((step) => step.inFlight));
  const offeredAStep = whole.reduce((sum, { offered }) => sum + offered, 0) / whole.length;
  return (
    inFlight.slope > leastGrowthShare * offeredAStep &&
    inFlight.slopeErrors > leastSlopeErrors &&
    trendOf(answered).slopeErrors > leastSlopeErrors
  );
}

/** The line of least squares through values one step apart: its slope a step, and how many standard errors that is. */
export function trendOf(values: readonly number[]): { readonly slope: number; readonly slopeErrors: number } {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let spread = 0;
  let together = 0;
  for (const [at, value] of values.entries()) {
    spread += (at - middle) ** 2;
    together += (at - middle) * (value - mean);
  }
  const slope = together / spread;
  const misses = values.reduce((sum, value, at) => sum + (value - mean - slope * (at - middle)) ** 2, 0);
  const error = Math.sqrt(misses / (values.length - 2) / spread);
  return { slope, slopeErrors: error === 0 ? (slope === 0 ? 0 : Math.sign(slope) * Number.MAX_VALUE) : slope / error };
}
