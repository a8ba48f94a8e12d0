import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { costOf, MemoryStore } from '../../gateway/cache/memory-store.ts';
import type { CacheEntry } from '../../gateway/cache/store.ts';
import { type Rng, seededRng } from '../../gateway/kernel/rng.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { entryOf } from '../support/caching/entries.ts';
import { zipf } from '../support/caching/zipf.ts';
import { isFull, repetitions } from '../support/counts.ts';

const clock = new VirtualClock();
const kibibyte = 1024;

/** A store with room for so many entries of one page. */
function storeFor(entries: number): MemoryStore {
  return new MemoryStore({ maxBytes: entries * costOf(1), clock });
}

const small = entryOf('x', clock.wallMs());

/** The share of requests that are answered from a store into which every miss is put. */
function hitShare(store: MemoryStore, requests: number, next: () => string): number {
  let hits = 0;
  // Of a store that has just begun, the beginning says little.
  for (let n = -100_000; n < requests; n++) {
    if (n === 0) hits = 0;
    const key = next();
    if (store.get(key) !== null) hits += 1;
    else store.put(key, small);
  }
  return hits / requests;
}

describe('what goes when memory is full', () => {
  const requests = repetitions({ quick: 400_000, full: 5_000_000 });
  const keys = 100_000;

  it('is such that 1 % of the memory answers 42 % of requests for keys by Zipf 0.9', (t) => {
    const store = storeFor(keys / 100);
    const draw = zipf(keys, 0.9, seededRng(1));
    const share = hitShare(store, requests, () => `key-${draw()}`);
    t.diagnostic(`${(100 * share).toFixed(1)} % of ${requests} requests, ${store.entryCount} entries`);
    assert.ok(store.entryCount <= keys / 100, `${store.entryCount} entries`);
    assert.ok(share >= 0.42, `${share}, wanted 0.42; 0.34 is what the least recently used would give`);
  });

  it('is such that it answers 21 % where every other request is for a key that is never asked for again', (t) => {
    const store = storeFor(keys / 100);
    const rng = seededRng(2);
    const draw = zipf(keys, 0.9, rng);
    let once = 0;
    const share = hitShare(store, requests, () => (rng.next() < 0.5 ? `once-${once++}` : `key-${draw()}`));
    t.diagnostic(`${(100 * share).toFixed(1)} % of ${requests} requests`);
    assert.ok(share >= 0.21, `${share}, wanted 0.21; 0.135 is what the least recently used would give`);
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

  it('is in what the process takes at most 1.3 times the bound, with answers of any size', (t) => {
    const bound = (isFull ? 256 : 64) * kibibyte * kibibyte;
    const store = new MemoryStore({ maxBytes: bound, clock });
    const rng = seededRng(3);
    const body = Buffer.alloc(1024 * kibibyte, 'canal ');
    churn(new MemoryStore({ maxBytes: kibibyte * kibibyte, clock }), rng, body, 2_000);
    const before = process.memoryUsage.rss();
    let most = 0;
    for (let round = 0; round < repetitions({ quick: 20, full: 200 }); round++) {
      churn(store, rng, body, 2_000);
      assert.ok(store.accountedBytes <= bound);
      most = Math.max(most, process.memoryUsage.rss() - before);
    }
    const filled = store.accountedBytes / bound;
    t.diagnostic(
      `bound ${bound}, accounted ${(100 * filled).toFixed(1)} %, resident growth ${(most / bound).toFixed(2)} of the bound, ${store.entryCount} entries`,
    );
    assert.ok(filled > 0.9, `only ${filled} of the bound was ever used`);
    assert.ok(most <= 1.3 * bound, `${most} bytes for a bound of ${bound}`);
  });
});

/** Puts answers from a hundred bytes to a mebibyte, small ones far more often. */
function churn(store: MemoryStore, rng: Rng, body: Buffer, puts: number): void {
  for (let n = 0; n < puts; n++) {
    const sizeBytes = Math.floor(100 * (body.length / 100) ** (rng.next() ** 2));
    const entry: CacheEntry = { ...small, body: body.subarray(0, sizeBytes) };
    store.put(`key-${rng.below(1_000_000)}`, entry);
    store.get(`key-${rng.below(1_000_000)}`);
  }
}
