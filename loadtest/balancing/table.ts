import type { Scenario } from './scenarios.ts';
import { type Seen, simulate } from './simulate.ts';
import type { Balancing } from './simulated-gateway.ts';

/** What was seen of one policy in one scenario: the medians of all seeds. */
export interface Cell {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly meanMs: number;
  readonly shareOverSecond: number;
  readonly isUnstable: boolean;
}

/** One scenario under every policy. */
export interface Row {
  readonly number: string;
  readonly title: string;
  readonly cells: Readonly<Record<string, Cell>>;
}

interface Asked {
  readonly scenarios: readonly Scenario[];
  readonly columns: Readonly<Record<string, Balancing>>;
  readonly seeds: readonly number[];
  progress(line: string): void;
}

/** Simulates every policy in every scenario with every seed. */
export async function simulateTable({ scenarios, columns, seeds, progress }: Asked): Promise<Row[]> {
  const rows: Row[] = [];
  for (const scenario of scenarios) {
    progress(`${scenario.number}: ${scenario.title}`);
    const cells: Record<string, Cell> = {};
    for (const [name, balancing] of Object.entries(columns)) {
      const all: Seen[] = [];
      for (const seed of seeds) all.push(await simulate(scenario, balancing, seed));
      cells[name] = medianOf(all);
    }
    rows.push({ number: scenario.number, title: scenario.title, cells });
  }
  return rows;
}

function medianOf(all: readonly Seen[]): Cell {
  const median = (of: (seen: Seen) => number): number =>
    all.map(of).toSorted((a, b) => a - b)[Math.floor((all.length - 1) / 2)] ?? 0;
  return {
    p50Ms: median((seen) => seen.p50Ms),
    p99Ms: median((seen) => seen.p99Ms),
    meanMs: median((seen) => seen.meanMs),
    shareOverSecond: median((seen) => seen.shareOverSecond),
    isUnstable: all.some((seen) => seen.isUnstable),
  };
}

/** The table in Markdown: p50/p99 in ms, of the policies that are named. */
export function renderTable(rows: readonly Row[], names = Object.keys(rows[0]?.cells ?? {})): string {
  const lines = rows.map(({ number, title, cells }) => [
    number,
    title,
    ...names.map((name) => {
      const cell = cells[name];
      if (cell === undefined) return '';
      return cell.isUnstable ? 'unstable' : `${cell.p50Ms.toFixed(0)}/${cell.p99Ms.toFixed(0)}`;
    }),
  ]);
  const all = [['#', 'scenario', ...names], ['-', '-', ...names.map(() => '-')], ...lines];
  return `${all.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`;
}
