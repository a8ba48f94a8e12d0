import { systemClock } from '../../gateway/kernel/system-clock.ts';
import { ClosedLoop } from './closed-loop.ts';
import { cpuMicroseconds } from './cpu-time.ts';
import type { Peer } from './peer.ts';
import type { Workload } from './workloads.ts';

/** What one peer did in one slice of time. */
export interface CostSlice {
  /** Processor time a request or chunk. */
  readonly microseconds: number;
  readonly unitsPerSecond: number;
  /** More than 1 where a peer puts several into one write, and so does less for each. */
  readonly unitsPerRead: number;
}

/** Has a peer do as much as it can for a while, and counts what that took of the processor. */
export async function measureCost(
  workload: Workload,
  peer: Peer & { readonly pid: number },
  forMs: number,
): Promise<CostSlice> {
  const { connections, newReader } = workload;
  const loop = new ClosedLoop({ port: peer.port, connections, next: workload.requests(peer), newReader });
  try {
    await systemClock.sleep(200);
    const before = { cpu: cpuMicroseconds(peer.pid), ...loop.counted, atMs: systemClock.nowMs() };
    await systemClock.sleep(forMs);
    const cpu = cpuMicroseconds(peer.pid) - before.cpu;
    const units = loop.counted.units - before.units;
    const reads = loop.counted.reads - before.reads;
    const seconds = (systemClock.nowMs() - before.atMs) / 1000;
    if (loop.failure !== null) throw new Error(`${peer.name}: ${loop.failure.message}`);
    if (units === 0) throw new Error(`${peer.name} answered nothing`);
    return { microseconds: cpu / units, unitsPerSecond: units / seconds, unitsPerRead: units / reads };
  } finally {
    loop.close();
  }
}
