import { type Outcome, outcomes } from '../../measure/record.ts';
import type { SeriesStep, Summary } from '../summary.ts';
import { describeInstant, outcomeNames } from '../wording.ts';
import { drawColumns } from './column-chart.ts';
import { drawFigure, layerSample } from './figure.ts';
import { type Frame, type Paper, paper, shortPaper } from './frame.ts';
import type { Line } from './line-chart.ts';
import { drawLineFigure, type LineFigure } from './line-figure.ts';
import { type Axis, scale, timeTicks } from './scale.ts';
import { countAxis, describeTick } from './value-axis.ts';

/** The charts over time: latency, outcomes, what is in flight, and for streams the first token. */
export function drawTimeFigures(summary: Summary): string {
  const { steps } = summary.series;
  const hasStreams = summary.streams.timeToFirstToken !== null;
  return [
    drawTimeLines(summary, {
      id: 'latency',
      title: 'Latency over time',
      note: 'From the planned send to the end, of answered requests, each at the second it was planned for.',
      unit: 'ms',
      lines: [
        lineOf(steps, 'p50Ms', 'p50', 'first'),
        lineOf(steps, 'p99Ms', 'p99', 'second'),
        lineOf(steps, 'maxMs', 'max', 'third'),
      ],
    }),
    drawOutcomes(summary),
    drawTimeLines(summary, {
      id: 'in-flight',
      title: 'In flight',
      note: 'Requests that were sent and had not ended at the end of the step; a line that keeps rising is a queue without an end.',
      unit: 'requests',
      lines: [lineOf(steps, 'inFlight', 'in flight', 'first')],
    }),
    hasStreams
      ? drawTimeLines(summary, {
          id: 'first-token',
          title: 'Time to first token over time',
          note: 'From the planned send to the first token, of answered streams.',
          unit: 'ms',
          lines: [
            lineOf(steps, 'firstTokenP50Ms', 'TTFT p50', 'first'),
            lineOf(steps, 'firstTokenP99Ms', 'TTFT p99', 'second'),
          ],
        })
      : '',
  ].join('');
}

type LineKey = Exclude<keyof SeriesStep, 'outcomes'>;

function lineOf(steps: readonly SeriesStep[], key: LineKey, label: string, stroke: Line['stroke']): Line {
  return { key, label, stroke, values: steps.map((step) => step[key]) };
}

function drawTimeLines(summary: Summary, figure: Pick<LineFigure, 'id' | 'title' | 'note' | 'unit' | 'lines'>): string {
  const { steps, stepMs } = summary.series;
  const sheet = figure.unit === 'ms' ? paper : shortPaper;
  return drawLineFigure({
    ...figure,
    paper: sheet,
    bands: summary.bands,
    x: timeAxis(summary, sheet),
    rows: {
      head: 'from',
      labels: steps.map(({ fromMs }) => describeInstant(fromMs)),
      xs: steps.map(({ fromMs }) => fromMs + stepMs / 2),
      one: 'step',
    },
  });
}

function drawOutcomes(summary: Summary): string {
  const { steps, stepMs } = summary.series;
  const seen = outcomes.filter((outcome) => steps.some((step) => step.outcomes[outcome] > 0));
  const most = Math.max(1, ...steps.map(({ outcomes: counts }) => sumOf(counts)));
  const title = 'What became of the requests';
  const x = timeAxis(summary, shortPaper);
  const frame: Frame = {
    paper: shortPaper,
    x,
    y: countAxis(most, `requests in ${describeInstant(stepMs)}`, shortPaper),
    bands: summary.bands,
    label: `${title}: a chart. The arrow keys read it step by step; a table follows.`,
  };
  const layers = seen.map((key) => ({ key, counts: steps.map((step) => step.outcomes[key]) }));
  const spans = steps.map(({ fromMs }) => [fromMs, fromMs + stepMs] as const);
  return drawFigure({
    id: 'outcomes',
    title,
    note: 'How those ended that were planned for each second.',
    legend: seen.map((outcome) => ({ label: outcomeNames[outcome], sample: layerSample(outcome) })),
    drawing: drawColumns({ ...frame, spans, layers }),
    table: {
      caption: title,
      rowHead: 'from',
      rowLabels: steps.map(({ fromMs }) => describeInstant(fromMs)),
      rowPlaces: steps.map(({ fromMs }) => x.scale.place(fromMs + stepMs / 2)),
      columns: layers.map(({ key, counts }) => ({
        key,
        label: outcomeNames[key],
        values: counts,
        describe: describeTick,
      })),
    },
  });
}

function timeAxis({ series: { steps, stepMs } }: Summary, sheet: Paper): Axis {
  const untilMs = Math.max(stepMs, steps.length * stepMs);
  return {
    scale: scale('linear', [0, untilMs], [sheet.left, sheet.right]),
    title: 'since the start of the run',
    ticks: timeTicks(untilMs).map((value) => ({ value, label: describeInstant(value) })),
  };
}

function sumOf(counts: Readonly<Record<Outcome, number>>): number {
  return outcomes.reduce((sum, outcome) => sum + counts[outcome], 0);
}
