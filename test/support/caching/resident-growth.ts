import { costOf, MemoryStore } from '../../../gateway/cache/memory-store.ts';
import { type Rng, seededRng } from '../../../gateway/kernel/rng.ts';
import { VirtualClock } from '../../../gateway/kernel/virtual-clock.ts';
import { entryOf } from './entries.ts';

// A process of its own, to be run with --expose-gc: fills a memory store many times over with answers of any size, and prints what became of its memory.

const mebibyte = 1024 * 1024;
const clock = new VirtualClock();
const rng = seededRng(3);
/** The default of `cache.max_entry`. */
const largest = Buffer.alloc(mebibyte, 'canal ');
const small = entryOf('x', clock.wallMs());

/** What became of it. */
export interface ResidentGrowth {
  readonly boundBytes: number;
  readonly mostAccountedBytes: number;
  /** After the collector has come by. */
  readonly mostGrowthBytes: number;
  readonly mostEntries: number;
  /** What was put in all, times the bound. */
  readonly timesFilled: number;
}

/** How much more often small answers come than large ones: in turns, so that each kind must make room for the others. */
const skews = [1, 2, 8];

/** Puts answers from a hundred bytes to the largest, and asks for others. Gives what they cost. */
function churn(store: MemoryStore, puts: number, skew: number): number {
  let putBytes = 0;
  for (let n = 0; n < puts; n++) {
    const body = largest.subarray(0, Math.floor(100 * (largest.length / 100) ** (rng.next() ** skew)));
    store.put(keyAt(rng), { ...small, body });
    store.get(keyAt(rng));
    putBytes += costOf(body.length);
  }
  return putBytes;
}

/** As long as a real one. */
function keyAt({ below }: Rng): string {
  return `00000000-00000000-${String(below(300_000)).padStart(43, '0')}`;
}

function residentBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss();
}

function measure(boundBytes: number, timesFilled: number): ResidentGrowth {
  // Making garbage at all has the engine take room for it, some 30 to 50 MiB: no part of what answers take.
  const warmUp = new MemoryStore({ maxBytes: 4 * mebibyte, clock });
  for (const skew of skews) churn(warmUp, 40_000, skew);
  const store = new MemoryStore({ maxBytes: boundBytes, clock });
  const before = residentBytes();
  let [mostAccountedBytes, mostGrowthBytes, mostEntries, putBytes] = [0, 0, 0, 0];
  while (putBytes < timesFilled * boundBytes)
    for (const skew of skews) {
      // Of a kind so much that it fills all there is.
      for (const fromBytes = putBytes; putBytes < fromBytes + boundBytes; ) putBytes += churn(store, 1_000, skew);
      mostAccountedBytes = Math.max(mostAccountedBytes, store.accountedBytes);
      mostGrowthBytes = Math.max(mostGrowthBytes, residentBytes() - before);
      mostEntries = Math.max(mostEntries, store.entryCount);
    }
  return { boundBytes, mostAccountedBytes, mostGrowthBytes, mostEntries, timesFilled: putBytes / boundBytes };
}

if (import.meta.main) {
  const [bound = 0, times = 0] = process.argv.slice(2).map(Number);
  process.stdout.write(JSON.stringify(measure(bound * mebibyte, times)));
}
