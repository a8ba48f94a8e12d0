import { type Outcome, outcomes } from '../../measure/record.ts';
import type { SeriesStep, Summary } from '../summary.ts';
import { describeFigure, describeInstant, nothing, outcomeNames } from '../wording.ts';
import { drawColumns } from './column-chart.ts';
import { drawFigure, layerSample, lineSample } from './figure.ts';
import { type Frame, paper, shortPaper } from './frame.ts';
import { drawLines, type Line } from './line-chart.ts';
import { type Axis, logTicks, roundTicks, scale, timeTicks } from './scale.ts';

/** Ratios beyond this are drawn on a logarithmic axis, where the small ones can still be read. */
const mostLinearRatio = 40;

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

interface TimeLines {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  readonly unit: 'ms' | 'requests';
  readonly lines: readonly Line[];
}

type LineKey = Exclude<keyof SeriesStep, 'outcomes'>;

function lineOf(steps: readonly SeriesStep[], key: LineKey, label: string, stroke: Line['stroke']): Line {
  return { key, label, stroke, values: steps.map((step) => step[key]) };
}

function drawTimeLines(summary: Summary, { id, title, note, unit, lines }: TimeLines): string {
  const { steps, stepMs } = summary.series;
  const isInMs = unit === 'ms';
  const sheet = isInMs ? paper : shortPaper;
  const values = lines.flatMap((line) => line.values);
  const frame = timeFrame(summary, valueAxis(values, unit, sheet), sheet, title);
  const xs = steps.map(({ fromMs }) => fromMs + stepMs / 2);
  return drawFigure({
    id,
    title,
    note,
    legend: lines.length < 2 ? [] : lines.map(({ label, stroke }) => ({ label, sample: lineSample(stroke) })),
    drawing: drawLines({ ...frame, xs, lines }),
    table: {
      caption: title,
      rowHead: 'from',
      rowLabels: steps.map(({ fromMs }) => describeInstant(fromMs)),
      rowPlaces: xs.map((at) => frame.x.scale.place(at)),
      columns: lines.map((line) => ({
        key: line.key,
        label: isInMs ? `${line.label}, ms` : line.label,
        values: line.values,
        describe: isInMs ? describeFigure : describeWhole,
      })),
    },
  });
}

function drawOutcomes(summary: Summary): string {
  const { steps, stepMs } = summary.series;
  const seen = outcomes.filter((outcome) => steps.some((step) => step.outcomes[outcome] > 0));
  const most = Math.max(1, ...steps.map(({ outcomes: counts }) => sumOf(counts)));
  const y = countAxis(most, `requests in ${describeInstant(stepMs)}`, shortPaper);
  const title = 'What became of the requests';
  const frame = timeFrame(summary, y, shortPaper, title);
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
      rowPlaces: steps.map(({ fromMs }) => frame.x.scale.place(fromMs + stepMs / 2)),
      columns: layers.map(({ key, counts }) => ({
        key,
        label: outcomeNames[key],
        values: counts,
        describe: describeWhole,
      })),
    },
  });
}

function timeFrame(
  { series: { steps, stepMs }, bands }: Summary,
  y: Axis,
  sheet: Frame['paper'],
  label: string,
): Frame {
  const untilMs = Math.max(stepMs, steps.length * stepMs);
  const x = {
    scale: scale('linear', [0, untilMs], [sheet.left, sheet.right]),
    title: 'since the start of the run',
    ticks: timeTicks(untilMs).map((value) => ({ value, label: describeInstant(value) })),
  };
  return {
    paper: sheet,
    x,
    y,
    bands,
    label: `${label}: a chart. The arrow keys read it step by step; a table follows.`,
  };
}

/** From 0, or logarithmic where the values are too far apart for that. */
export function valueAxis(values: readonly (number | null)[], unit: string, sheet: Frame['paper']): Axis {
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

function countAxis(most: number, title: string, sheet: Frame['paper']): Axis {
  const ticks = roundTicks(most, 4);
  return {
    scale: scale('linear', [0, ticks.at(-1) ?? most], [sheet.bottom, sheet.top]),
    title,
    ticks: ticks.map((value) => ({ value, label: describeTick(value) })),
  };
}

function describeTick(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 4 });
}

function describeWhole(value: number | null): string {
  return value === null ? nothing : describeTick(value);
}

function sumOf(counts: Readonly<Record<Outcome, number>>): number {
  return outcomes.reduce((sum, outcome) => sum + counts[outcome], 0);
}
