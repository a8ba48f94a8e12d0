import { cpus } from 'node:os';
import { systemClock } from '../../gateway/kernel/system-clock.ts';
import { ClosedLoop } from './closed-loop.ts';
import { cpuMicroseconds } from './cpu-time.ts';
import type { Peer } from './peers.ts';
import type { Workload } from './workloads.ts';

/** Until the compiler has seen everything: a gateway has more code than a relay. */
const warmUpMs = 10_000;

/** What one peer did in one slice of time. */
interface Slice {
  /** Processor time a request or chunk. */
  readonly microseconds: number;
  readonly unitsPerSecond: number;
  /** More than 1 where a peer puts several into one write, and so does less for each. */
  readonly unitsPerRead: number;
}

interface Row {
  readonly peer: Peer;
  /** One a round. */
  readonly slices: Slice[];
}

interface Options {
  readonly rounds: number;
  readonly sliceMs: number;
  /** Called after each round. */
  readonly progress: (round: number) => void;
}

/** Compares what a workload costs each peer, in rounds in which every peer has its turn: the machine's mood then falls on all alike. The first peer is the measure. */
export async function compare(workload: Workload, peers: readonly Peer[], options: Options): Promise<string> {
  const { rounds, sliceMs, progress } = options;
  const rows: Row[] = peers.map((peer) => ({ peer, slices: [] }));
  for (const { peer } of rows) await measure(workload, peer, warmUpMs);
  for (let round = 1; round <= rounds; round++) {
    for (const { peer, slices } of rows) slices.push(await measure(workload, peer, sliceMs));
    progress(round);
  }
  return report(workload, rows, options);
}

async function measure({ connections, request, newReader }: Workload, peer: Peer, forMs: number): Promise<Slice> {
  const loop = new ClosedLoop({ port: peer.port, connections, request: request(peer.port), newReader });
  await systemClock.sleep(200);
  const before = { cpu: cpuMicroseconds(peer.pid), ...loop.counted, atMs: systemClock.nowMs() };
  await systemClock.sleep(forMs);
  const cpu = cpuMicroseconds(peer.pid) - before.cpu;
  const units = loop.counted.units - before.units;
  const reads = loop.counted.reads - before.reads;
  const seconds = (systemClock.nowMs() - before.atMs) / 1000;
  loop.close();
  if (loop.failure !== null) throw new Error(`${peer.name}: ${loop.failure.message}`);
  if (units === 0) throw new Error(`${peer.name} answered nothing`);
  return { microseconds: cpu / units, unitsPerSecond: units / seconds, unitsPerRead: units / reads };
}

function report({ unit, connections }: Workload, rows: readonly Row[], { rounds, sliceMs }: Options): string {
  const [bare] = rows;
  const lines = rows.map(({ peer, slices }) => {
    const all = (key: keyof Slice): number[] => slices.map((slice) => slice[key]);
    const ratios = slices.map(({ microseconds: own }, at) => own / (bare?.slices[at]?.microseconds ?? own));
    const cells = [
      spread(all('microseconds'), 1),
      spread(ratios, 2),
      spread(all('unitsPerSecond'), 0),
      spread(all('unitsPerRead'), 2),
    ];
    return asLine([peer.name, ...cells]);
  });
  const title = `processor time a ${unit}, median (least .. most) of ${rounds} interleaved rounds of ${sliceMs} ms, ${connections} connections`;
  const head = asLine(['', 'microseconds', 'times the bare relay', `${unit}s a second`, 'of them a read']);
  return [title, `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}`, head, ...lines].join('\n');
}

function asLine([name = '', ...cells]: readonly string[]): string {
  return [name.padEnd(28), ...cells.map((cell) => cell.padStart(26))].join(' ');
}

function spread(values: readonly number[], digits: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(digits);
  return `${at(0.5)} (${at(0)} .. ${at(1)})`;
}
