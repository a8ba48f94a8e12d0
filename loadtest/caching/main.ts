import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseTrace, TraceError } from '../arrivals/parse-trace.ts';
import type { Trace } from '../arrivals/trace.ts';
import { keptSeed, renderTable, replayTable, workloadsOf } from './table.ts';

const usage = `Usage: npm run caching -- [--trace FILE] [--seed N] [--json] [--write]

How many requests need no computation because the same was asked before: replayed past the gateway's own keys and memory, on a virtual clock.
--trace adds the chats of a Mooncake trace: conversation_trace.jsonl, from github.com/kvcache-ai/Mooncake (Apache-2.0).
--write keeps the figures in loadtest/caching/table.json, of which the README tells.
`;

const tableFile = join(import.meta.dirname, 'table.json');

function traceIn(file: string): Trace {
  try {
    return parseTrace(readFileSync(file, 'utf8'), file);
  } catch (error) {
    if (error instanceof TraceError) throw new TypeError(`--trace: ${file}: ${error.message}`);
    throw new TypeError(`--trace: ${error instanceof Error ? error.message : error}`);
  }
}

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      trace: { type: 'string' },
      seed: { type: 'string', default: String(keptSeed) },
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const seed = Number(values.seed);
  if (!Number.isInteger(seed) || seed < 0) throw new TypeError(`--seed: got ${values.seed}, wanted a whole number`);
  if (values.write && (values.trace === undefined || seed !== keptSeed))
    throw new TypeError(`--write: wanted with --trace, and with seed ${keptSeed}: the README tells of both`);
  const workloads = workloadsOf(values.trace === undefined ? null : traceIn(values.trace));
  const rows = await replayTable(workloads, seed, (line) => void process.stderr.write(`${line}\n`));
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
