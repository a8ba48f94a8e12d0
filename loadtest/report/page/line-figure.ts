import type { Band } from '../summary.ts';
import { describeFigure } from '../wording.ts';
import { drawFigure, lineSample } from './figure.ts';
import type { Paper } from './frame.ts';
import { drawLines, type Line } from './line-chart.ts';
import type { Axis } from './scale.ts';
import { describeTick, valueAxis } from './value-axis.ts';

/** Lines over some places, and what is said of them. */
export interface LineFigure {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  /** Of the values; counts have none that would stand behind their names. */
  readonly unit: 'ms' | '1/s' | 'requests';
  readonly paper: Paper;
  readonly bands: readonly Band[];
  readonly x: Axis;
  readonly lines: readonly Line[];
  /** The places of the lines on the x axis, which are the rows of the table. */
  readonly rows: {
    readonly head: string;
    readonly labels: readonly string[];
    readonly xs: readonly number[];
    /** What each is for those who read the chart by keys. */
    readonly one: 'step' | 'point' | 'rate';
  };
}

/** A line chart with its legend and its table. */
export function drawLineFigure({ id, title, note, unit, paper, bands, x, lines, rows }: LineFigure): string {
  const { xs, one } = rows;
  const values = lines.flatMap((line) => line.values);
  const isCount = unit === 'requests';
  const label = `${title}: a chart. The arrow keys read it ${one} by ${one}; a table follows.`;
  return drawFigure({
    id,
    title,
    note,
    legend: lines.length < 2 ? [] : lines.map((line) => ({ label: line.label, sample: lineSample(line.stroke) })),
    drawing: drawLines({ paper, x, y: valueAxis(values, unit, paper), bands, label, xs, lines }),
    table: {
      caption: title,
      rowHead: rows.head,
      rowLabels: rows.labels,
      rowPlaces: xs.map((at) => x.scale.place(at)),
      columns: lines.map((line) => ({
        key: line.key,
        label: isCount ? line.label : `${line.label}, ${unit}`,
        values: line.values,
        describe: isCount ? describeTick : describeFigure,
      })),
    },
  });
}
