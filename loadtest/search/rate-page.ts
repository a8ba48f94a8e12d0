import { drawDocument } from '../report/page/document.ts';
import { barePaper } from '../report/page/frame.ts';
import { drawLineFigure, type LineFigure } from '../report/page/line-figure.ts';
import { element, escaped } from '../report/page/markup.ts';
import { type Axis, roundTicks, scale } from '../report/page/scale.ts';
import type { Summary } from '../report/summary.ts';
import { describeRate } from '../report/wording.ts';
import type { RatePoint, RateReport } from './rate-report.ts';

/** A search over rates as one HTML file that needs nothing else. */
export function drawRatePage(report: RateReport): string {
  const { title, conclusion, points } = report;
  const head = element(
    'header',
    {},
    element('p', { class: 'kind' }, 'Headgate load test, search'),
    element('div', { class: 'title' }, element('h1', {}, escaped(title))),
    element('p', { class: 'facts' }, escaped(conclusion)),
  );
  const figures = figuresOf(points).map((figure) => drawRates(points, figure));
  return drawDocument({
    title,
    main: head + (points.length === 0 ? '' : figures.join('')),
    data: { id: 'search', value: report },
  });
}

function figuresOf(points: readonly RatePoint[]): RateFigure[] {
  const values = (of: (summary: Summary) => number | null): (number | null)[] =>
    points.map(({ summary }) => of(summary));
  return [
    {
      id: 'latency',
      title: 'Latency by rate',
      unit: 'ms',
      lines: [
        { key: 'p50Ms', label: 'p50', stroke: 'first', values: values(({ latency }) => latency.ok?.p50Ms ?? null) },
        { key: 'p99Ms', label: 'p99', stroke: 'second', values: values(({ latency }) => latency.ok?.p99Ms ?? null) },
      ],
    },
    {
      id: 'goodput',
      title: 'Good answers by rate',
      unit: '1/s',
      lines: [
        { key: 'good', label: 'good', stroke: 'fourth', values: values(({ goodput }) => goodput.perSecond) },
        { key: 'offered', label: 'offered', stroke: 'third', values: values(({ requests }) => requests.perSecond) },
      ],
    },
  ];
}

type RateFigure = Pick<LineFigure, 'id' | 'title' | 'unit' | 'lines'>;

function drawRates(points: readonly RatePoint[], figure: RateFigure): string {
  const xs = points.map(({ ratePerSecond }) => ratePerSecond);
  const labels = points.map(
    ({ ratePerSecond, note }) => `${describeRate(ratePerSecond)}${note === '' ? '' : `: ${note}`}`,
  );
  return drawLineFigure({
    ...figure,
    note: labels.filter((_, at) => points[at]?.note !== '').join(', '),
    paper: barePaper,
    bands: [],
    x: rateAxis(Math.max(...xs)),
    rows: { head: 'rate', labels, xs, one: 'rate' },
  });
}

function rateAxis(most: number): Axis {
  const ticks = roundTicks(most, 8);
  return {
    scale: scale('linear', [0, ticks.at(-1) ?? most], [barePaper.left, barePaper.right]),
    title: 'offered requests a second',
    ticks: ticks.map((value) => ({ value, label: value.toLocaleString('en-US') })),
  };
}
