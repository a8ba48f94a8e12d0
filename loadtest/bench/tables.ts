import type { Comparison, Row } from './comparison.ts';
import { inWords } from './spread.ts';

/** A table in Markdown with its title. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What was found out, for people: on a terminal as in a file. */
export function renderTables(comparison: Comparison): string {
  return tablesOf(comparison).map(renderTable).join('\n\n');
}

function tablesOf({ rounds, request, chunk, latency, firstToken, held }: Comparison): Table[] {
  const median = `median (least .. most) of ${rounds} interleaved rounds`;
  const cost = ['microseconds', 'times the bare relay', 'a second', 'of them a read'];
  const costRows = (rows: Comparison['request']): string[][] =>
    rowsOf(rows, cost.length, (one) => [
      inWords(one.microseconds, 1),
      inWords(one.ratio, 2),
      inWords(one.unitsPerSecond, 0),
      inWords(one.unitsPerRead, 2),
    ]);
  const added = ['p50, ms', 'p99, ms'];
  const addedRows = (rows: Comparison['latency']): string[][] =>
    rowsOf(rows, added.length, (one) => [inWords(one.addedP50Ms, 2), inWords(one.addedP99Ms, 2)]);
  return [
    { title: `Processor time a request, 32 connections, ${median}`, columns: cost, rows: costRows(request) },
    { title: `Processor time a streamed chunk, 128 streams, ${median}`, columns: cost, rows: costRows(chunk) },
    {
      title: `Latency over the direct row at 200 requests a second, ${median}`,
      columns: added,
      rows: addedRows(latency),
    },
    {
      title: `Time to first token over the direct row at 40 streams a second, ${median}`,
      columns: added,
      rows: addedRows(firstToken),
    },
    {
      title: 'Streams of 20 events a second held without a gap of 500 ms, of 256, 512, 1024, 2048 and 4096',
      columns: ['streams'],
      rows: rowsOf(held, 1, ({ streams }) => [String(streams)]),
    },
  ];
}

function rowsOf<Figures>(
  rows: readonly Row<Figures>[],
  width: number,
  cellsOf: (one: Figures) => readonly string[],
): string[][] {
  return rows.map((row) => {
    if ('failure' in row) return [row.peer, `failed: ${row.failure.split('\n')[0]}`, ...Array(width - 1).fill('')];
    return [row.peer, ...cellsOf(row)];
  });
}

/** The same as text. */
export function renderTable({ title, columns, rows }: Table): string {
  const all = [['', ...columns], ...rows];
  const widths = ['', ...columns].map((_, at) => Math.max(3, ...all.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, at) => (row[at] ?? '').padEnd(width)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [`${title}:`, '', line(all[0] ?? []), rule, ...rows.map(line)].join('\n');
}
