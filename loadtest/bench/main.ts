import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { type BalancingName, balancings } from '../../gateway/balance/registry.ts';
import { systemClock } from '../../gateway/kernel/system-clock.ts';
import { cacheCost } from './cache-cost.ts';
import { type Comparison, compare } from './comparison.ts';
import { gateCost } from './gate-cost.ts';
import { bareRelay } from './headgate-peer.ts';
import { kinds } from './kinds.ts';
import { freePort, type Peer, startScript } from './peer.ts';
import { pickCost } from './pick-cost.ts';
import { writeResults } from './results-file.ts';
import { renderTables } from './tables.ts';

const usage = `Usage: npm run bench -- [--rounds N] [--slice MS] [--warm-up MS] [--only NAME,...] [--json] [--write]
       npm run bench -- cache [--rounds N] [--slice MS] [--warm-up MS]
       npm run bench -- gate
       npm run bench -- pick [POLICY]

Compares what stands between clients and model servers, side by side in one run: ${kinds.map(({ name }) => name).join(', ')}.
--only leaves the others out, but for the bare relay; --write puts the tables into loadtest/RESULTS.md; cache measures what a hit and a miss cost, gate what a gate does, pick what it costs to choose a replica.
`;

interface Options {
  readonly rounds: number;
  readonly sliceMs: number;
  readonly warmUpMs: number;
  readonly only: readonly string[] | null;
  readonly asJson: boolean;
  readonly isWritten: boolean;
}

interface Missing {
  readonly name: string;
  readonly reason: string;
}

/** Starts the peers in front of one backend and compares them. */
async function run(options: Options): Promise<{ comparison: Comparison; missing: Missing[]; notes: string[] }> {
  const backendPort = await freePort();
  const backend = await startScript('stub-backend.ts', backendPort);
  const direct: Peer = { name: 'direct', port: backendPort, pid: null, headers: [], isChatOnly: false, stop: () => {} };
  const wanted = kinds.filter((kind) => kind === bareRelay || (options.only?.includes(kind.name) ?? true));
  const peers: Peer[] = [];
  const missing: Missing[] = [];
  try {
    for (const { name, start } of wanted) {
      progress(`${name}: starts`);
      await start(backendPort).then(
        (peer) => peers.push(peer),
        (error) => missing.push({ name, reason: error instanceof Error ? error.message : String(error) }),
      );
    }
    const comparison = await compare(direct, peers.filter(isTimed), { ...options, progress });
    const there = wanted.filter(({ name }) => peers.some((peer) => peer.name === name));
    return { comparison, missing, notes: there.map(({ name, note }) => `${name}: ${note}`) };
  } finally {
    for (const peer of peers) peer.stop();
    backend.kill();
  }
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

function isTimed(peer: Peer): peer is Peer & { readonly pid: number } {
  return peer.pid !== null;
}

function inWords({ comparison, missing, notes }: Awaited<ReturnType<typeof run>>): string {
  const date = new Date(systemClock.wallMs()).toISOString().slice(0, 10);
  const machine = `${date}, Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  const absent = missing.map(({ name, reason }) => `Missing: ${name} (${reason}).`);
  return [`${machine}.`, renderTables(comparison), notes.map((note) => `- ${note}`).join('\n'), ...absent].join('\n\n');
}

function wholeNumber(name: string, text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new TypeError(`--${name}: got ${text}, wanted a whole number`);
}

function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '9' },
      slice: { type: 'string', default: '1000' },
      'warm-up': { type: 'string', default: '5000' },
      only: { type: 'string' },
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
    },
  });
  const only = values.only?.split(',') ?? null;
  const unknown = only?.find((name) => !kinds.some((kind) => kind.name === name));
  if (unknown !== undefined) throw new TypeError(`--only: got ${unknown}, wanted names of peers`);
  return {
    rounds: wholeNumber('rounds', values.rounds),
    sliceMs: wholeNumber('slice', values.slice),
    warmUpMs: wholeNumber('warm-up', values['warm-up']),
    only,
    asJson: values.json,
    isWritten: values.write,
  };
}

async function main(args: readonly string[]): Promise<void> {
  if (args[0] === 'pick') {
    const name = Object.keys(balancings).find((one) => one === (args[1] ?? 'adaptive'));
    if (name === undefined) throw new TypeError(`pick: got ${args[1]}, wanted a policy`);
    process.stdout.write(pickCost(name as BalancingName));
    return;
  }
  if (args[0] === 'gate') {
    process.stdout.write(gateCost());
    return;
  }
  if (args.includes('--help')) {
    process.stdout.write(usage);
    return;
  }
  const isOfCache = args[0] === 'cache';
  let options: Options;
  try {
    options = readOptions(isOfCache ? args.slice(1) : args);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n${usage}`);
    process.exitCode = 2;
    return;
  }
  if (isOfCache) {
    process.stdout.write(await cacheCost({ ...options, progress }));
    return;
  }
  const result = await run(options);
  process.stdout.write(options.asJson ? `${JSON.stringify(result)}\n` : `${inWords(result)}\n`);
  if (options.isWritten) writeResults(inWords(result));
}

await main(process.argv.slice(2));
