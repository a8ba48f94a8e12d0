import { cpus } from 'node:os';
import { systemClock } from '../../gateway/kernel/system-clock.ts';
import { ClosedLoop } from './closed-loop.ts';
import { cpuMicroseconds } from './cpu-time.ts';
import { freePort, type Peer, startBareRelay, startHeadgate, startNginx, startScript } from './peers.ts';

const connections = 32;
/** Until the compiler has seen everything: a gateway has more code than a relay. */
const warmUpMs = 10_000;

interface Row {
  readonly peer: Peer;
  /** Processor time a request, in each round. */
  readonly microseconds: number[];
}

/** Compares what a request costs each peer, in rounds in which every peer has its turn: the machine's mood then falls on all alike. */
async function main({ rounds, sliceMs }: { rounds: number; sliceMs: number }): Promise<void> {
  const backendPort = await freePort();
  const backend = await startScript('stub-backend.ts', backendPort);
  const started = [await startBareRelay(backendPort), await startHeadgate(backendPort), await startNginx(backendPort)];
  const rows: Row[] = started.flatMap((peer) => (peer === null ? [] : [{ peer, microseconds: [] }]));
  try {
    for (const { peer } of rows) await measure(peer, warmUpMs);
    for (let round = 0; round < rounds; round++) {
      for (const row of rows) row.microseconds.push(await measure(row.peer, sliceMs));
      process.stderr.write(`round ${round + 1} of ${rounds}\n`);
    }
  } finally {
    for (const { peer } of rows) peer.stop();
    backend.kill();
  }
  process.stdout.write(`${report(rows, rounds, sliceMs)}\n`);
  if (started.includes(null)) process.stdout.write('missing: nginx (apt-get install nginx-light)\n');
}

async function measure(peer: Peer, forMs: number): Promise<number> {
  const loop = new ClosedLoop({ port: peer.port, connections, request: inferRequest(peer.port) });
  await systemClock.sleep(200);
  const before = { cpu: cpuMicroseconds(peer.pid), answered: loop.answered };
  await systemClock.sleep(forMs);
  const used = cpuMicroseconds(peer.pid) - before.cpu;
  const answered = loop.answered - before.answered;
  loop.close();
  if (answered === 0) throw new Error(`${peer.name} answered nothing`);
  if (loop.failure !== null) throw new Error(`${peer.name}: ${loop.failure.message}`);
  return used / answered;
}

/** A digit as JSON, about 300 bytes. */
function inferRequest(port: number): Buffer {
  const data = Array.from({ length: 64 }, (_, at) => (at * 7) % 17);
  const body = JSON.stringify({ inputs: [{ name: 'image', shape: [1, 64], datatype: 'FP32', data }] });
  const head = [
    'POST /v2/models/digits/infer HTTP/1.1',
    `host: 127.0.0.1:${port}`,
    'user-agent: headgate-bench',
    'accept: */*',
    'content-type: application/json',
    `content-length: ${body.length}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function report(rows: readonly Row[], rounds: number, sliceMs: number): string {
  const [bare] = rows;
  const lines = rows.map(({ peer, microseconds }) => {
    const ratios = microseconds.map((value, at) => value / (bare?.microseconds[at] ?? value));
    return `${peer.name.padEnd(28)} ${spread(microseconds, 1).padStart(24)} ${spread(ratios, 2).padStart(24)}`;
  });
  const title = `processor time a request, median (least .. most) of ${rounds} interleaved rounds of ${sliceMs} ms, ${connections} connections`;
  const head = `${''.padEnd(28)} ${'microseconds'.padStart(24)} ${'times the bare relay'.padStart(24)}`;
  return [title, `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}`, head, ...lines].join('\n');
}

function spread(values: readonly number[], digits: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(digits);
  return `${at(0.5)} (${at(0)} .. ${at(1)})`;
}

const [rounds = 25, sliceMs = 1000] = process.argv.slice(2).map(Number);
await main({ rounds, sliceMs });
