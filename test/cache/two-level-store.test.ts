import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MemoryStore } from '../../gateway/cache/memory-store.ts';
import type { CacheEntry, CacheStore } from '../../gateway/cache/store.ts';
import { TwoLevelStore } from '../../gateway/cache/two-level-store.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { entryOf, keyAt } from '../support/caching/entries.ts';

const key = keyAt(1);

/** A shared store whose answers come when the test says so, and say what it has by then. */
class FarStore implements CacheStore {
  entry: CacheEntry | null = null;
  asked = 0;
  /** Of a Redis that is away. */
  isAway = false;
  #waiting: (() => void)[] = [];

  get(): null | Promise<CacheEntry | null> {
    this.asked += 1;
    if (this.isAway) return null;
    const { entry } = this;
    return new Promise((resolve) => {
      this.#waiting.push(() => resolve(entry));
    });
  }

  put(_key: string, entry: CacheEntry): void {
    this.entry = entry;
  }

  purge(): number | null {
    this.entry = null;
    return this.isAway ? null : 0;
  }

  close(): void {}

  answer(): void {
    for (const one of this.#waiting.splice(0)) one();
  }
}

function newStores() {
  const clock = new VirtualClock();
  const near = new MemoryStore({ maxBytes: 1024 * 1024, clock });
  const far = new FarStore();
  const store = new TwoLevelStore({ near, far, clock });
  const at = (text: string): CacheEntry => entryOf(text, clock.wallMs(), { freshMs: 1000 });
  const got = async (): Promise<string | null> => {
    const asked = store.get(key);
    far.answer();
    const entry = await asked;
    return entry === null ? null : String(entry.body);
  };
  return { clock, near, far, store, at, got };
}

describe('a store of two levels', () => {
  it('answers at once what is fresh near by, and asks nobody', () => {
    const { store, far, at } = newStores();
    store.put(key, at('a'));
    const entry = store.get(key);
    assert.ok(entry !== null && !(entry instanceof Promise));
    assert.equal(String(entry.body), 'a');
    assert.equal(far.asked, 0);
    assert.ok(far.entry !== null, 'the others get it too');
  });

  it('keeps near by what it found far away', async () => {
    const { near, far, at, got } = newStores();
    far.entry = at('b');
    assert.equal(await got(), 'b');
    assert.equal(String(near.get(key)?.body), 'b');
    assert.equal(await got(), 'b');
    assert.equal(far.asked, 1);
  });

  it('looks far away for a newer one when its own is no longer fresh', async () => {
    const { clock, store, far, at, got } = newStores();
    store.put(key, at('old'));
    await clock.runUntil(1500);
    assert.equal(await got(), 'old');
    far.entry = at('new');
    assert.equal(await got(), 'new');
    assert.equal(await got(), 'new');
    assert.equal(far.asked, 2);
  });

  it('has its own, no longer fresh, where the other is away', async () => {
    const { clock, store, far, at } = newStores();
    store.put(key, at('old'));
    await clock.runUntil(1500);
    far.isAway = true;
    const entry = store.get(key);
    assert.ok(entry !== null && !(entry instanceof Promise));
    assert.equal(String(entry.body), 'old');
  });

  it('is not given back by an answer under way what was purged meanwhile', async () => {
    const { near, store, far, at } = newStores();
    far.entry = at('purged');
    const asked = store.get(key);
    await store.purge({});
    far.answer();
    assert.equal(await asked, null);
    assert.equal(near.get(key), null);
  });

  it('does not take an older one for the newer that came in meanwhile', async () => {
    const { clock, near, store, far, at } = newStores();
    far.entry = at('old');
    const asked = store.get(key);
    await clock.runUntil(10);
    store.put(key, at('new'));
    far.answer();
    assert.equal(String((await asked)?.body), 'new');
    assert.equal(String(near.get(key)?.body), 'new');
  });

  it('says so where not all can have been purged', async () => {
    const { store, far, at, got } = newStores();
    store.put(key, at('a'));
    far.isAway = true;
    assert.equal(await store.purge({ key }), null);
    assert.equal(await got(), null);
  });
});
