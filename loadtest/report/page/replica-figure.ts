import type { Summary } from '../summary.ts';
import { describeCount, describeFigure, describeShare } from '../wording.ts';
import { type Column, drawFigure } from './figure.ts';
import { coordinate, element, escaped } from './markup.ts';
import { type Scale, scale } from './scale.ts';

type Replica = Summary['replicas'][number];

/** Half as wide as the paper of the charts, since a table stands beside. */
const paper = { width: 470, left: 120, right: 400, row: 32, top: 8, bar: 20 } as const;

/** How the requests were shared out among the replicas: a bar for each. */
export function drawReplicas({ replicas, withoutReplica }: Summary): string {
  if (replicas.length === 0) return '';
  const most = Math.max(...replicas.map(({ share }) => share));
  const x = scale('linear', [0, most], [paper.left, paper.right]);
  const nameless = `${describeCount(withoutReplica)} requests have no replica to their name: refused, answered from a cache, or never answered.`;
  return drawFigure({
    id: 'replicas',
    title: 'Who answered',
    note: withoutReplica === 0 ? 'Every answer named its replica.' : nameless,
    legend: [],
    drawing: element(
      'svg',
      {
        viewBox: `0 0 ${paper.width} ${2 * paper.top + replicas.length * paper.row - 10}`,
        role: 'img',
        'aria-label': 'Requests by replica: the table beside has the figures.',
        'data-x-scale': `linear 0 ${most} ${paper.left} ${paper.right}`,
      },
      ...replicas.map((replica, at) => drawBar(replica, paper.top + at * paper.row, x)),
    ),
    isTableShort: true,
    table: {
      caption: 'Requests by replica',
      rowHead: 'replica',
      rowLabels: replicas.map(({ name }) => name),
      columns: columnsOf(replicas),
    },
  });
}

function drawBar({ name, share }: Replica, top: number, x: Scale): string {
  const end = coordinate(x.place(share));
  const path = `M${paper.left} ${top}V${top + paper.bar}H${end}V${top}Z`;
  return (
    element('text', { x: paper.left - 10, y: top + 15, class: 'end' }, escaped(name)) +
    element('path', { d: path, class: 'bar', 'data-series': name }) +
    element('text', { x: Number(end) + 8, y: top + 15, class: 'value' }, escaped(describeShare(share)))
  );
}

function columnsOf(replicas: readonly Replica[]): Column[] {
  const column = (key: Exclude<keyof Replica, 'name'>, label: string, describe: Column['describe']): Column => ({
    key,
    label,
    values: replicas.map((replica) => replica[key]),
    describe,
  });
  return [
    column('requests', 'requests', (value) => describeCount(value ?? 0)),
    column('share', 'share', describeShare),
    column('p50Ms', 'p50, ms', describeFigure),
    column('p99Ms', 'p99, ms', describeFigure),
  ];
}
