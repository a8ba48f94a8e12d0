import { type Section, tableOf } from '../report/sections.ts';
import { describeShare, describeValue, simulatedNote } from '../report/wording.ts';
import type { Comparison, Difference } from './comparison.ts';

/** A comparison in words and a table. */
export function comparisonSections(comparison: Comparison): Section[] {
  const { a, b, confidence, repetitions, isSimulated, reasons, differences } = comparison;
  return [
    {
      title: `${b} against ${a}`,
      lines: [
        ...(isSimulated ? [simulatedNote] : []),
        ...reasons,
        `${repetitions} paired repetitions; intervals hold the truth in ${describeShare(confidence)} of cases each.`,
      ],
      table: tableOf(
        ['metric', a, b, 'difference', 'interval', `${b} is`],
        differences.map((one) => [
          one.metric,
          describeValue(middleOf(one.a.values), one.unit),
          describeValue(middleOf(one.b.values), one.unit),
          describeDifference(one, one.difference),
          `${describeDifference(one, one.low)} .. ${describeDifference(one, one.high)}`,
          one.verdict,
        ]),
      ),
    },
  ];
}

/** With its sign: percent for a relative difference, points of a percent for one of shares. */
export function describeDifference({ kind }: Pick<Difference, 'kind'>, value: number): string {
  const percent = 100 * value;
  const digits = Math.abs(percent) >= 10 ? 1 : 2;
  const sign = percent > 0 ? '+' : '';
  return `${sign}${percent.toFixed(digits)} ${kind === 'relative' ? '%' : 'points'}`;
}

/** The median of the repetitions. */
export function middleOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] ?? 0) + (sorted[Math.floor(half)] ?? 0)) / 2;
}
