import { hash } from 'node:crypto';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { exponential } from '../model-server/draws.ts';
import { AskedKey } from './asked-key.ts';
import type { Keeping } from './columns.ts';
import { type Cell, ReplayedMemory } from './replayed-memory.ts';
import type { Workload } from './workload.ts';

/** Sends a workload past several memories at once, on the virtual clock: the gateway's own keys and stores, and nothing between them. */
export async function replay(
  workload: Workload,
  keepings: Readonly<Record<string, Keeping>>,
  seed: number,
): Promise<Record<string, Cell>> {
  const { warmUp, requests, ratePerSecond } = workload;
  const clock = new VirtualClock();
  const askedKey = new AskedKey(clock);
  const memories = Object.entries(keepings).map(([name, keeping]) => {
    return { name, by: keeping.by, memory: new ReplayedMemory(workload, keeping, clock) };
  });
  const rng = seededRng(seed + 1);
  let count = 0;
  for (const asked of workload.ask(seed)) {
    if (count++ === warmUp + requests) break;
    await clock.runUntil(clock.nowMs() + (exponential(rng) * 1000) / ratePerSecond);
    const keys = { key: askedKey.of(asked.path, asked.body), bytes: hash('sha256', asked.body) };
    for (const { by, memory } of memories) memory.ask(keys[by], asked, count > warmUp);
  }
  return Object.fromEntries(memories.map(({ name, memory }) => [name, memory.sum(requests)]));
}
