import type { Trace } from '../arrivals/trace.ts';
import { chatsOf } from './chats.ts';
import { columns } from './columns.ts';
import { embeddingsOf } from './embeddings.ts';
import { replay } from './replay.ts';
import type { Cell } from './replayed-memory.ts';
import type { Workload } from './workload.ts';

/** One workload with each way to keep its answers. */
export interface Row {
  readonly title: string;
  readonly requests: number;
  readonly cells: Readonly<Record<string, Cell>>;
}

const texts = 100_000;
const requests = 500_000;

/** What is replayed: texts to embed, and chats where there is a trace of some. */
export function workloadsOf(trace: Trace | null): Workload[] {
  const embeddings = [0.9, 1].map((exponent) => embeddingsOf({ exponent, texts, requests, warmUp: texts }));
  return [...(trace === null ? [] : [chatsOf(trace)]), ...embeddings];
}

/** The seed of what is kept in table.json. */
export const keptSeed = 1;

/** Replays workloads, one after the other. */
export async function replayTable(
  workloads: readonly Workload[],
  seed: number,
  progress: (line: string) => void,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const workload of workloads) {
    progress(`${workload.title}: ${workload.warmUp + workload.requests} requests`);
    const { title, requests: count } = workload;
    rows.push({ title, requests: count, cells: await replay(workload, columns, seed) });
  }
  return rows;
}

/** The table in Markdown: of a hundred requests, how many were answered from memory, and without one how many could have joined another. */
export function renderTable(rows: readonly Row[]): string {
  const names = Object.keys(columns);
  const cellOf = (cell: Cell | undefined, name: string): string => {
    if (cell === undefined) return '';
    return `${(100 * (columns[name]?.memoryShare === 0 ? cell.joined : cell.hits)).toFixed(1)} %`;
  };
  const lines = rows.map(({ title, cells }) => [title, ...names.map((name) => cellOf(cells[name], name))]);
  const all = [['', ...names], names.map(() => '-').concat('-'), ...lines];
  return `${all.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`;
}
