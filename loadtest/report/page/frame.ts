import type { Band } from '../summary.ts';
import { describeSpan } from '../wording.ts';
import { coordinate, element, escaped } from './markup.ts';
import type { Axis, Scale } from './scale.ts';

/** The paper that every chart with two axes is drawn on, in its own units; CSS stretches it. */
export const paper = { width: 960, height: 322, left: 64, right: 944, top: 52, bottom: 280 } as const;

/** A short one, for what needs less height. */
export const shortPaper = { ...paper, height: 232, bottom: 190 } as const;

/** One without bands, which needs no room for their names. */
export const barePaper = { ...paper, top: 26 } as const;

/** The measures of a sheet of paper. */
export type Paper = { readonly [Key in keyof typeof paper]: number };

/** What a chart with two axes consists of besides its marks. */
export interface Frame {
  readonly paper: Paper;
  readonly x: Axis;
  readonly y: Axis;
  readonly bands: readonly Band[];
  /** Said to those who cannot see it. */
  readonly label: string;
}

/** A chart as SVG: bands behind, grid, marks, and a line that follows whoever reads it. */
export function drawFrame({ paper: sheet, x, y, bands, label }: Frame, marks: string): string {
  return element(
    'svg',
    {
      viewBox: `0 0 ${sheet.width} ${sheet.height}`,
      role: 'img',
      tabindex: 0,
      'aria-label': label,
      'data-x-scale': describeScale(x.scale),
      'data-y-scale': describeScale(y.scale),
    },
    drawBands(bands, x.scale, sheet),
    drawGrid(x, y, sheet),
    marks,
    element('line', { class: 'crosshair', y1: sheet.top, y2: sheet.bottom }),
  );
}

/** `kind from to start end`, by which a reader of the page finds the value of a coordinate. */
function describeScale({ kind, from, to, start, end }: Scale): string {
  return [kind, from, to, start, end].join(' ');
}

function drawGrid(x: Axis, y: Axis, sheet: Paper): string {
  const rows = y.ticks.map(({ value, label }) => {
    const at = y.scale.place(value);
    const line = element('line', { x1: sheet.left, x2: sheet.right, y1: coordinate(at), y2: coordinate(at) });
    return line + text(label, { x: sheet.left - 10, y: coordinate(at + 4), class: 'tick end', 'data-tick-y': value });
  });
  const columns = x.ticks.map(({ value, label }) => {
    const at = x.scale.place(value);
    const line = element('line', { x1: coordinate(at), x2: coordinate(at), y1: sheet.bottom, y2: sheet.bottom + 5 });
    return line + text(label, { x: coordinate(at), y: sheet.bottom + 20, class: 'tick middle', 'data-tick-x': value });
  });
  return element(
    'g',
    { class: 'grid', 'aria-hidden': 'true' },
    ...rows,
    ...columns,
    text(y.title, { x: sheet.left - 54, y: 12, class: 'axis' }),
    text(x.title, { x: sheet.right, y: sheet.height - 4, class: 'axis end' }),
  );
}

/** Two lines of labels fit above the plot. */
const labelRows = 2;

function drawBands(bands: readonly Band[], x: Scale, sheet: Paper): string {
  const freeFrom = Array.from({ length: labelRows }, () => Number.NEGATIVE_INFINITY);
  const drawn = bands
    .toSorted((a, b) => a.fromMs - b.fromMs)
    .map((band) => {
      const from = x.place(Math.min(band.fromMs, x.to));
      const until = x.place(Math.min(Math.max(band.untilMs, band.fromMs), x.to));
      const label = `${band.name}, ${describeSpan(band.fromMs, band.untilMs)}`;
      const length = label.length * 6.2;
      // Near the right edge a label ends there; one that would run into another goes a line higher.
      const start = Math.min(from, sheet.right - length);
      const row = Math.max(
        0,
        freeFrom.findIndex((free) => start >= free),
      );
      freeFrom[row] = start + length + 12;
      return drawBand({ name: band.name, label, from, until, start, row }, sheet);
    });
  return drawn.join('');
}

interface PlacedBand {
  readonly name: string;
  readonly label: string;
  readonly from: number;
  readonly until: number;
  /** Where the label begins, and on which line above the plot. */
  readonly start: number;
  readonly row: number;
}

function drawBand({ name, label, from, until, start, row }: PlacedBand, sheet: Paper): string {
  const below = sheet.bottom - sheet.top;
  const flag = sheet.top - 14 - 14 * row;
  return element(
    'g',
    { class: 'band', 'data-band': name },
    element('title', {}, escaped(label)),
    element('rect', { x: coordinate(from), width: coordinate(until - from), y: sheet.top, height: below }),
    element('path', {
      d: `M${coordinate(from)} ${flag}V${sheet.bottom}M${coordinate(until)} ${sheet.top}V${sheet.bottom}`,
    }),
    text(label, { x: coordinate(start + 4), y: flag + 9 }),
  );
}

function text(content: string, attributes: Readonly<Record<string, string | number | null>>): string {
  return element('text', attributes, escaped(content));
}
