import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { columns } from './columns.ts';
import { scenarios } from './scenarios.ts';
import { renderTable, simulateTable } from './table.ts';

const usage = `Usage: npm run sim -- [--scenarios 3,7] [--policies LC,adaptive] [--seeds N] [--json] [--write]

Compares ways to balance on the virtual clock: the real dispatcher, policies and meters before simulated replicas. Each figure is the median of the seeds, p50/p99 in ms.
--write keeps all of them in loadtest/balancing/table.json, of which the README tells.
Scenarios: ${scenarios.map(({ number }) => number).join(' ')}. Policies: ${Object.keys(columns).join(' ')}.
`;

const tableFile = join(import.meta.dirname, 'table.json');

function chosen<Item>(text: string | undefined, all: readonly Item[], nameOf: (one: Item) => string): readonly Item[] {
  if (text === undefined) return all;
  return text.split(',').map((name) => {
    const found = all.find((one) => nameOf(one) === name);
    if (found === undefined) throw new TypeError(`got ${name}, wanted one of ${all.map(nameOf).join(', ')}`);
    return found;
  });
}

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scenarios: { type: 'string' },
      policies: { type: 'string' },
      seeds: { type: 'string', default: '3' },
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const count = Number(values.seeds);
  if (!Number.isInteger(count) || count < 1) throw new TypeError(`--seeds: got ${values.seeds}, wanted a whole number`);
  const rows = await simulateTable({
    scenarios: chosen(values.scenarios, scenarios, ({ number }) => number),
    columns: Object.fromEntries(chosen(values.policies, Object.entries(columns), ([name]) => name)),
    seeds: Array.from({ length: count }, (_, at) => at + 1),
    progress: (line) => void process.stderr.write(`${line}\n`),
  });
  if (values.write) writeFileSync(tableFile, `${JSON.stringify(rows, null, 2)}\n`);
  process.stdout.write(values.json ? `${JSON.stringify(rows, null, 2)}\n` : renderTable(rows));
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  process.stderr.write(`${error.message}\n${usage}`);
  process.exitCode = 2;
}
