import { drawFrame, type Frame } from './frame.ts';
import { coordinate, element } from './markup.ts';

/** One layer of stacked columns. */
export interface Layer {
  readonly key: string;
  readonly counts: readonly number[];
}

/** Columns of one width side by side, each a stack of layers. */
export interface ColumnChart extends Frame {
  /** Where each column begins and ends. */
  readonly spans: readonly (readonly [number, number])[];
  readonly layers: readonly Layer[];
}

/** A chart of stacked columns as SVG; a layer is one path, in which a column without it has no part. */
export function drawColumns(chart: ColumnChart): string {
  const { x, y, spans, layers } = chart;
  const heights = spans.map(() => 0);
  const paths = layers.map(({ key, counts }) => {
    const parts = counts.map((count, at) => {
      if (count === 0) return '';
      const [from, until] = spans[at] ?? [0, 0];
      const below = heights[at] ?? 0;
      heights[at] = below + count;
      const [left, right, bottom, top] = [
        x.scale.place(from),
        x.scale.place(until),
        y.scale.place(below),
        y.scale.place(below + count),
      ];
      const gap = Math.min(1, (right - left) / 5);
      return `M${coordinate(left)} ${coordinate(bottom)}V${coordinate(top)}H${coordinate(right - gap)}V${coordinate(bottom)}Z`;
    });
    return element('path', { class: `layer ${key}`, 'data-series': key, d: parts.join('') });
  });
  return drawFrame(chart, paths.join(''));
}
