import { drawDocument } from '../report/page/document.ts';
import { drawFigure, lineSample } from '../report/page/figure.ts';
import { type Paper, paper as withBands } from '../report/page/frame.ts';
import { drawLines, type Line } from '../report/page/line-chart.ts';
import { element, escaped } from '../report/page/markup.ts';
import { type Axis, roundTicks, scale } from '../report/page/scale.ts';
import { valueAxis } from '../report/page/time-figures.ts';
import type { Summary } from '../report/summary.ts';
import { describeFigure, describeRate } from '../report/wording.ts';
import type { RatePoint, RateReport } from './rate-report.ts';

const paper: Paper = { ...withBands, top: 26 };

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

interface RateFigure {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly Line[];
}

function drawRates(points: readonly RatePoint[], { id, title, unit, lines }: RateFigure): string {
  const xs = points.map(({ ratePerSecond }) => ratePerSecond);
  const x = rateAxis(Math.max(...xs));
  const y = valueAxis(
    lines.flatMap(({ values }) => values),
    unit,
    paper,
  );
  const label = `${title}: a chart. The arrow keys read it rate by rate; a table follows.`;
  return drawFigure({
    id,
    title,
    note: points
      .flatMap(({ ratePerSecond, note }) => (note === '' ? [] : `${describeRate(ratePerSecond)}: ${note}`))
      .join(', '),
    legend: lines.map((one) => ({ label: one.label, sample: lineSample(one.stroke) })),
    drawing: drawLines({ paper, x, y, bands: [], label, xs, lines }),
    table: {
      caption: title,
      rowHead: 'rate',
      rowLabels: points.map(
        ({ ratePerSecond, note }) => `${describeRate(ratePerSecond)}${note === '' ? '' : `: ${note}`}`,
      ),
      rowPlaces: xs.map((at) => x.scale.place(at)),
      columns: lines.map((one) => ({
        key: one.key,
        label: `${one.label}, ${unit}`,
        values: one.values,
        describe: describeFigure,
      })),
    },
  });
}

function rateAxis(most: number): Axis {
  const ticks = roundTicks(most, 8);
  return {
    scale: scale('linear', [0, ticks.at(-1) ?? most], [paper.left, paper.right]),
    title: 'offered requests a second',
    ticks: ticks.map((value) => ({ value, label: value.toLocaleString('en-US') })),
  };
}
