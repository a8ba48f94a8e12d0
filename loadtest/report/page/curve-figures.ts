import type { Summary } from '../summary.ts';
import { barePaper } from './frame.ts';
import type { Line } from './line-chart.ts';
import { drawLineFigure } from './line-figure.ts';
import { scale } from './scale.ts';

type CurveKey = Exclude<keyof Summary['curve'][number], 'share'>;

/** Shares that people ask for by name; the axis is labelled with them. */
const named = [0, 0.5, 0.9, 0.99, 0.999, 0.9999];

/** The percentile curves: of latency, and for streams of the tokens. */
export function drawCurveFigures(summary: Summary): string {
  const lines = [
    curveLine(summary, 'latencyMs', 'latency', 'first'),
    curveLine(summary, 'serviceMs', 'service time', 'third'),
  ];
  const tokens = [
    curveLine(summary, 'timeToFirstTokenMs', 'time to first token', 'second'),
    curveLine(summary, 'interTokenMs', 'between two tokens', 'fourth'),
  ];
  const isStreaming = summary.streams.timeToFirstToken !== null;
  return [
    drawCurve(
      summary,
      'curve',
      'Percentiles',
      'Latency counts from the planned send, service time from the actual one. Each nine gets the same room.',
      lines,
    ),
    isStreaming
      ? drawCurve(
          summary,
          'token-curve',
          'Percentiles of the tokens',
          'Time to the first token, and every gap between two.',
          tokens,
        )
      : '',
  ].join('');
}

function curveLine({ curve }: Summary, key: CurveKey, label: string, stroke: Line['stroke']): Line {
  return { key, label, stroke, values: curve.map((point) => point[key]) };
}

function drawCurve(summary: Summary, id: string, title: string, note: string, lines: readonly Line[]): string {
  const { curve } = summary;
  const xs = curve.map(({ share }) => ninesOf(share));
  const most = Math.max(1, ...xs);
  return drawLineFigure({
    id,
    title,
    note,
    unit: 'ms',
    paper: barePaper,
    bands: [],
    x: {
      scale: scale('linear', [0, most], [barePaper.left, barePaper.right]),
      title: 'share of requests that took no longer',
      ticks: named
        .filter((share) => ninesOf(share) <= most + 1e-9)
        .map((share) => ({ value: ninesOf(share), label: percentOf(share) })),
    },
    lines,
    rows: { head: 'percentile', labels: curve.map(({ share }) => percentOf(share)), xs, one: 'point' },
  });
}

/** 0 for none, 1 for 90 %, 2 for 99 %. */
export function ninesOf(share: number): number {
  return -Math.log10(1 - share);
}

/** As many digits as tell it from its neighbours. */
function percentOf(share: number): string {
  return `${(100 * share).toLocaleString('en-US', { maximumFractionDigits: share > 0.99 ? 3 : 1 })} %`;
}
