import type { Summary } from '../summary.ts';
import { describeCount, describeFigure, describeMs, describeShare, timeParts } from '../wording.ts';
import { drawFigure, layerSample } from './figure.ts';
import { coordinate, element, escaped } from './markup.ts';
import { scale } from './scale.ts';

const paper = { width: 470, left: 8, right: 462, height: 92, top: 12, bottom: 60, labels: 80 } as const;

/** A part shorter than this has no room for its figure below, which the table has anyway. */
const leastLabelled = 56;

/** Which of the fills of style.css each part has. */
const fills = { lagMs: 'lag', queueMs: 'queue', upstreamMs: 'upstream', gatewayMs: 'gateway', bodyMs: 'body' } as const;

/** Where the time of a mean answer went: one stack, lying. */
export function drawTimeSpent({ timeSpent, latency }: Summary): string {
  if (timeSpent === null) return '';
  const values = timeParts.map(([key]) => timeSpent[key]);
  const totalMs = values.reduce((sum, valueMs) => sum + valueMs, 0);
  return drawFigure({
    id: 'time-spent',
    title: 'Where the time went',
    note: `Of a mean latency of ${describeMs(totalMs)}, over ${describeCount(timeSpent.count)} of ${describeCount(latency.ok?.count ?? 0)} answered requests: those that told it.`,
    legend: timeParts.map(([key, label]) => ({ label, sample: layerSample(fills[key]) })),
    drawing: drawStack(timeSpent, totalMs),
    isTableShort: true,
    table: {
      caption: 'Parts of the mean latency',
      rowHead: 'part',
      rowLabels: timeParts.map(([, label]) => label),
      columns: [
        { key: 'ms', label: 'mean, ms', values, describe: describeFigure },
        {
          key: 'share',
          label: 'share',
          values: values.map((one) => (totalMs === 0 ? 0 : one / totalMs)),
          describe: describeShare,
        },
      ],
    },
  });
}

function drawStack(timeSpent: NonNullable<Summary['timeSpent']>, totalMs: number): string {
  const x = scale('linear', [0, totalMs], [paper.left, paper.right]);
  let fromMs = 0;
  const stack = timeParts.map(([key]) => {
    const [left, right] = [x.place(fromMs), x.place(fromMs + timeSpent[key])];
    fromMs += timeSpent[key];
    const path = `M${coordinate(left)} ${paper.top}V${paper.bottom}H${coordinate(right)}V${paper.top}Z`;
    const place = { x: coordinate((left + right) / 2), y: paper.labels, class: 'value middle' };
    return (
      element('path', { d: path, class: `layer ${fills[key]}`, 'data-series': key }) +
      (right - left < leastLabelled ? '' : element('text', place, escaped(describeMs(timeSpent[key]))))
    );
  });
  return element(
    'svg',
    {
      viewBox: `0 0 ${paper.width} ${paper.height}`,
      role: 'img',
      'aria-label': 'Parts of the mean latency: the table beside has the figures.',
      'data-x-scale': `linear 0 ${totalMs} ${paper.left} ${paper.right}`,
    },
    ...stack,
  );
}
