import { drawFrame, type Frame } from './frame.ts';
import { coordinate, element } from './markup.ts';

/** One line of a chart; a null is a gap. */
export interface Line {
  readonly key: string;
  readonly label: string;
  /** Which of the strokes of style.css, that differ by colour, width and dashes. */
  readonly stroke: 'first' | 'second' | 'third' | 'fourth';
  readonly values: readonly (number | null)[];
}

/** Lines over common places on the x axis. */
export interface LineChart extends Frame {
  readonly xs: readonly number[];
  readonly lines: readonly Line[];
}

/** A line chart as SVG. */
export function drawLines(chart: LineChart): string {
  const paths = chart.lines.map(
    ({ key, stroke, values }) =>
      element('path', { class: `line ${stroke}`, 'data-series': key, d: pathOf(chart, values) }) +
      (chart.xs.length > mostDotted ? '' : element('path', { class: `line dots ${stroke}`, d: dotsOf(chart, values) })),
  );
  return drawFrame(chart, paths.reverse().join(''));
}

/** Few points are marked, so that what was measured is told from what was drawn between. */
const mostDotted = 30;

function dotsOf({ x, y, xs }: LineChart, values: readonly (number | null)[]): string {
  return values
    .map((value, at) =>
      value === null ? '' : `M${coordinate(x.scale.place(xs[at] ?? 0))} ${coordinate(y.scale.place(value))}h0`,
    )
    .join('');
}

function pathOf({ x, y, xs }: LineChart, values: readonly (number | null)[]): string {
  return values
    .map((value, at) => {
      if (value === null) return '';
      const place = `${coordinate(x.scale.place(xs[at] ?? 0))} ${coordinate(y.scale.place(value))}`;
      const isFirst = at === 0 || values[at - 1] === null;
      // A point between two gaps is a line of no length, which round caps make visible.
      const isAlone = isFirst && (at === values.length - 1 || values[at + 1] === null);
      return `${isFirst ? 'M' : 'L'}${place}${isAlone ? 'h0' : ''}`;
    })
    .join('');
}
