import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { costOf, MemoryStore } from '../../gateway/cache/memory-store.ts';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { zipfOf } from '../../loadtest/payloads/zipf.ts';
import { entryOf } from '../support/caching/entries.ts';
import { LeastRecentlyUsed } from '../support/caching/lru.ts';
import type { ResidentGrowth } from '../support/caching/resident-growth.ts';
import { repetitions } from '../support/counts.ts';

const clock = new VirtualClock();
const kibibyte = 1024;
const run = promisify(execFile);

/** A store with room for so many entries of one page. */
function storeFor(entries: number): MemoryStore {
  return new MemoryStore({ maxBytes: entries * costOf(1), clock });
}

const small = entryOf('x', clock.wallMs());

/** The shares of requests that are answered from a store into which every miss is put, and from what forgets the least recently used. */
function hitShares(entries: number, requests: number, next: () => string): { share: number; ofLru: number } {
  const store = storeFor(entries);
  const lru = new LeastRecentlyUsed(entries);
  let [hits, hitsOfLru] = [0, 0];
  // Of a store that has just begun, the beginning says little.
  for (let n = -100_000; n < requests; n++) {
    const key = next();
    const isHit = store.get(key) !== null;
    if (!isHit) store.put(key, small);
    const isHitOfLru = lru.ask(key);
    if (n < 0) continue;
    if (isHit) hits += 1;
    if (isHitOfLru) hitsOfLru += 1;
  }
  assert.equal(store.entryCount, entries);
  return { share: hits / requests, ofLru: hitsOfLru / requests };
}

describe('what goes when memory is full', () => {
  const requests = repetitions({ quick: 400_000, full: 5_000_000 });
  const keys = 100_000;
  const inWords = ({ share, ofLru }: ReturnType<typeof hitShares>): string =>
    `${(100 * share).toFixed(1)} % of ${requests} requests, ${(100 * ofLru).toFixed(1)} % with the least recently used`;

  it('is such that 1 % of the memory answers 42 % of requests for keys by Zipf 0.9', (t) => {
    const [rng, draw] = [seededRng(1), zipfOf(0.9, keys)];
    const found = hitShares(keys / 100, requests, () => `key-${draw(rng)}`);
    t.diagnostic(inWords(found));
    assert.ok(found.share >= 0.42, inWords(found));
    assert.ok(Math.abs(found.ofLru - 0.34) < 0.01, inWords(found));
  });

  it('is such that it answers 21 % where every other request is for a key that is never asked for again', (t) => {
    const [rng, draw] = [seededRng(2), zipfOf(0.9, keys)];
    let once = 0;
    const found = hitShares(keys / 100, requests, () => (rng.next() < 0.5 ? `once-${once++}` : `key-${draw(rng)}`));
    t.diagnostic(inWords(found));
    assert.ok(found.share >= 0.21, inWords(found));
    assert.ok(Math.abs(found.ofLru - 0.135) < 0.01, inWords(found));
  });

  it('is what came first of that which nobody asked for since', () => {
    const store = storeFor(3);
    const has = (): string => ['a', 'b', 'c', 'd', 'e', 'f', 'g'].filter((key) => peek(store, key)).join('');
    for (const key of ['a', 'b', 'c']) store.put(key, small);
    store.get('a');
    store.put('d', small);
    assert.equal(has(), 'acd');
  });

  it('is not what is put anew, which was asked for before', () => {
    const store = storeFor(3);
    for (const key of ['a', 'b', 'c']) store.put(key, small);
    store.get('b');
    store.put('b', small);
    for (const key of ['d', 'e']) store.put(key, small);
    assert.ok(peek(store, 'b'));
  });
});

/** Whether it is there. Asking counts: the store must not be used for anything else afterwards. */
function peek(store: MemoryStore, key: string): boolean {
  return store.get(key) !== null;
}

describe('what memory takes', () => {
  const maxBytes = 256 * kibibyte;
  const sizes = fc.oneof(fc.nat(20 * kibibyte), fc.nat(250 * kibibyte), fc.constant(260 * kibibyte));

  it('is never accounted above its bound, and is all given back', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(40), sizes), { maxLength: 80 }), (puts) => {
        const store = new MemoryStore({ maxBytes, clock });
        for (const [key, sizeBytes] of puts) {
          store.put(`key-${key}`, entryOf(new Uint8Array(sizeBytes), clock.wallMs()));
          store.get(`key-${(key * 7) % 40}`);
          assert.ok(store.accountedBytes <= maxBytes, `${store.accountedBytes}`);
          assert.equal(peek(store, `key-${key}`), sizeBytes < 254 * kibibyte, `${sizeBytes} bytes`);
        }
        store.purge({});
        assert.deepEqual([store.accountedBytes, store.entryCount], [0, 0]);
      }),
      { numRuns: repetitions({ quick: 30, full: 500 }) },
    );
  });

  it('holds nothing of what is larger than all of it, nor what was there before it under that key', () => {
    const store = new MemoryStore({ maxBytes, clock });
    store.put('a', small);
    store.put('b', small);
    store.put('a', entryOf(new Uint8Array(maxBytes), clock.wallMs()));
    assert.deepEqual([peek(store, 'a'), peek(store, 'b')], [false, true]);
  });

  it('is in what the process takes at most 1.3 times the bound, with answers of any size', async (t) => {
    const { boundBytes, mostAccountedBytes, mostGrowthBytes, mostEntries, timesFilled } = await residentGrowth();
    const [accounted, growth] = [mostAccountedBytes / boundBytes, mostGrowthBytes / boundBytes];
    t.diagnostic(
      `of a bound of ${boundBytes / kibibyte / kibibyte} MiB, filled ${timesFilled.toFixed(0)} times: at most ${accounted.toFixed(4)} accounted, resident growth ${growth.toFixed(3)}, at most ${mostEntries} entries`,
    );
    assert.ok(accounted > 0.95 && accounted <= 1, `${mostAccountedBytes} accounted`);
    assert.ok(growth > 0.9, `only ${mostGrowthBytes} bytes: this measures nothing`);
    assert.ok(growth <= 1.3, `${mostGrowthBytes} bytes for a bound of ${boundBytes}`);
  });
});

/** In a process of its own, in which nothing else comes and goes. */
async function residentGrowth(): Promise<ResidentGrowth> {
  const script = join(import.meta.dirname, '..', 'support', 'caching', 'resident-growth.ts');
  const mebibytes = repetitions({ quick: 64, full: 256 });
  const timesFilled = repetitions({ quick: 20, full: 200 });
  const { stdout } = await run(process.execPath, ['--expose-gc', script, `${mebibytes}`, `${timesFilled}`]);
  return JSON.parse(stdout);
}
