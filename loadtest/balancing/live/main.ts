import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Summary, summarySchema } from '../../report/summary.ts';
import { capacityPerSecond, type FleetName, fleetNames, serversOf } from './fleets.ts';
import { type LivePeer, LivePeers } from './peers.ts';

const usage = `Usage: node loadtest/balancing/live/main.ts [--fleet ${fleetNames.join('|')}] [--load PERCENT] [--seconds N] [--repetitions N] [--port N]

Headgate with adaptive beside HAProxy and nginx before six simulated servers over sockets, in turns: once told their slots, and by them how they are, and once told nothing.
A run that is INVALID is made again, at most twice.

--port: the first of 13 that are used (8401), so that several can run beside each other.
`;

const program = join(import.meta.dirname, '..', '..', '..', 'gateway', 'main.ts');
const folder = mkdtempSync(join(tmpdir(), 'headgate-live-'));

interface Asked {
  readonly fleet: FleetName;
  readonly load: number;
  readonly seconds: number;
  readonly repetitions: number;
  readonly firstPort: number;
}

function readAsked(args: readonly string[]): Asked {
  const { values } = parseArgs({
    args: [...args],
    options: {
      fleet: { type: 'string', default: 'speeds' },
      load: { type: 'string', default: '70' },
      seconds: { type: 'string', default: '60' },
      repetitions: { type: 'string', default: '5' },
      port: { type: 'string', default: '8401' },
    },
  });
  const fleet = fleetNames.find((one) => one === values.fleet);
  const numbers = [values.load, values.seconds, values.repetitions, values.port].map(Number);
  if (fleet === undefined || numbers.some((one) => !(one > 0))) throw new TypeError(usage);
  const [percent = 0, seconds = 0, repetitions = 0, firstPort = 0] = numbers;
  return { fleet, load: percent / 100, seconds, repetitions, firstPort };
}

/** One run against one of them. */
async function run(peer: LivePeer, ratePerSecond: number, seconds: number, seed: number): Promise<Summary> {
  const scenario = join(folder, 'scenario.yaml');
  writeFileSync(
    scenario,
    `name: live
for: ${seconds + 5}s
warm_up: 5s
targets: [{ name: peer, url: "http://127.0.0.1:${peer.port}", protocol: open-inference, model: simulated }]
arrivals: { kind: poisson, rate: ${ratePerSecond.toFixed(3)}/s }
payloads: { kind: same, tensor: { name: x, datatype: FP32, shape: [4] } }
`,
  );
  const out = join(folder, 'out.json');
  const args = [program, 'loadtest', scenario, '--json', '--seed', `${seed}`, '--out', join(folder, 'results')];
  const child = spawn('sh', ['-c', '"$@" >"$0"', out, process.execPath, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (text: Buffer) => {
    said += text.toString();
  });
  await new Promise((resolve) => child.once('close', resolve));
  const summary = readFileSync(out, 'utf8');
  if (summary === '') throw new Error(`the load test of ${peer.name} ended without a summary: ${said}`);
  return summarySchema.parse(JSON.parse(summary));
}

const mostRuns = 3;

/** The same until it is VALID, or was made often enough. */
async function validRun(peer: LivePeer, ratePerSecond: number, seconds: number, seed: number): Promise<Summary> {
  for (let runs = 1; ; runs++) {
    const summary = await run(peer, ratePerSecond, seconds, seed);
    const { p50Ms = 0, p99Ms = 0 } = summary.latency.ok ?? {};
    const { isValid, reasons } = summary.verdict;
    const verdict = isValid ? 'VALID' : `INVALID: ${reasons.join('; ')}`;
    process.stderr.write(`${seed} ${peer.name}: p50 ${p50Ms.toFixed(1)}, p99 ${p99Ms.toFixed(1)} ms, ${verdict}\n`);
    if (isValid || runs === mostRuns) return summary;
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN;
}

async function main(args: readonly string[]): Promise<void> {
  const asked = readAsked(args);
  const { firstPort } = asked;
  const servers = serversOf(asked.fleet, firstPort);
  const live = new LivePeers({ servers, firstPort: firstPort + servers.length, folder });
  const ratePerSecond = asked.load * capacityPerSecond(servers);
  const seen = new Map<string, Summary[]>(live.peers.map(({ name }) => [name, []]));
  try {
    await live.start();
    for (let nth = 0; nth < asked.repetitions; nth++) {
      for (const peer of nth % 2 === 0 ? live.peers : live.peers.toReversed())
        seen.get(peer.name)?.push(await validRun(peer, ratePerSecond, asked.seconds, nth + 1));
    }
  } finally {
    live.close();
    rmSync(folder, { recursive: true, force: true });
  }
  process.stdout.write(`${asked.fleet}, ${100 * asked.load} %, ${ratePerSecond.toFixed(1)}/s\n`);
  for (const [name, all] of seen) {
    const [p50, p99] = (['p50Ms', 'p99Ms'] as const).map((key) =>
      median(all.map(({ latency }) => latency.ok?.[key] ?? 0)),
    );
    const valid = all.filter(({ verdict }) => verdict.isValid).length;
    process.stdout.write(`| ${name} | ${p50?.toFixed(1)} | ${p99?.toFixed(1)} | ${valid} of ${all.length} valid |\n`);
  }
}

await main(process.argv.slice(2));
