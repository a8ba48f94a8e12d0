import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type CacheEntry, type CacheStore, newEntry } from '../../gateway/cache/store.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { bodies, entryOf, headerLists, keyAt } from '../support/caching/entries.ts';
import { repetitions } from '../support/counts.ts';
import type { Scope } from '../support/gateway-process.ts';

/** Makes an empty store that goes by a clock; it is closed by whoever asked for it. */
export type NewStore = (clock: VirtualClock, scope: Scope) => CacheStore | Promise<CacheStore>;

type Step =
  | { readonly kind: 'put'; readonly at: number }
  | { readonly kind: 'get'; readonly at: number }
  | { readonly kind: 'purge'; readonly keys: { model?: string; tenant?: string } }
  | { readonly kind: 'pass'; readonly forMs: number };

const owners = [
  { model: 'm', tenant: 's' },
  { model: 'm', tenant: 't' },
  { model: 'n', tenant: 's' },
] as const;

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('put' as const), at: fc.nat(8) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('get' as const), at: fc.nat(8) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('purge' as const),
      keys: fc.constantFrom({ model: 'm' }, { tenant: 's' }, { model: 'n', tenant: 's' }, { model: 'x' }, {}),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), forMs: fc.nat(60_000) }) },
);

/** What every store keeps to that has room for everything, and whose medium is well. */
export function storeSuite(name: string, newStore: NewStore): void {
  describe(name, () => {
    it('gives back what it was given, every byte of it', async (t) => {
      const clock = new VirtualClock();
      const store = await newStore(clock, t);
      let number = 0;
      await fc.assert(
        fc.asyncProperty(headerLists, bodies, async (headers, body) => {
          const key = keyAt(number++);
          const entry = newEntry(headers, body, entryOf('', clock.wallMs()).freshness);
          await store.put(key, entry);
          assertSame(await store.get(key), entry);
        }),
        { numRuns: repetitions({ quick: 50, full: 2000 }) },
      );
    });

    it('has what was kept last under a key, and nothing under any other', async (t) => {
      const clock = new VirtualClock();
      const store = await newStore(clock, t);
      assert.equal(await store.get(keyAt(1)), null);
      for (const text of ['one', 'another', '']) {
        await store.put(keyAt(1), entryOf(text, clock.wallMs()));
        assertSame(await store.get(keyAt(1)), entryOf(text, clock.wallMs()));
      }
      assert.equal(await store.get(keyAt(2)), null);
      assert.equal(await store.get(keyAt(1, { tenant: 'another' })), null);
    });

    it('keeps what it was given, whatever becomes of the bytes outside', async (t) => {
      const clock = new VirtualClock();
      const store = await newStore(clock, t);
      const body = Buffer.from('answer');
      await store.put(keyAt(1), entryOf(body, clock.wallMs()));
      body.fill(0);
      (await store.get(keyAt(1)))?.body.fill(0);
      assert.equal(String((await store.get(keyAt(1)))?.body), 'answer');
    });

    it('forgets what is good for nothing any more, and does not keep it', async (t) => {
      const clock = new VirtualClock();
      const store = await newStore(clock, t);
      await store.put(
        keyAt(1),
        entryOf('a', clock.wallMs(), { freshMs: 100, staleWhileRevalidateMs: 50, staleIfErrorMs: 0 }),
      );
      await store.put(
        keyAt(2),
        entryOf('b', clock.wallMs(), { freshMs: 0, staleWhileRevalidateMs: 0, staleIfErrorMs: 0 }),
      );
      assert.equal(await store.get(keyAt(2)), null);
      await clock.runUntil(149);
      assert.equal(String((await store.get(keyAt(1)))?.body), 'a');
      await clock.runUntil(150);
      assert.equal(await store.get(keyAt(1)), null);
    });

    it('forgets by key, by model, by tenant, and all', async (t) => {
      const clock = new VirtualClock();
      const store = await newStore(clock, t);
      const all = owners.flatMap((owner) => [1, 2].map((number) => keyAt(number, owner)));
      const left = async () => {
        const found = await Promise.all(all.map(async (key) => store.get(key)));
        return found.flatMap((entry, at) => (entry === null ? [] : [at]));
      };
      for (const [keys, count, wanted] of [
        [{ key: all[3] ?? '' }, 1, [0, 1, 2, 4, 5]],
        [{ key: keyAt(99) }, 0, [0, 1, 2, 3, 4, 5]],
        [{ key: all[3] ?? '', model: 'n' }, 0, [0, 1, 2, 3, 4, 5]],
        [{ model: 'm' }, 4, [4, 5]],
        [{ tenant: 's' }, 4, [2, 3]],
        [{ model: 'm', tenant: 's' }, 2, [2, 3, 4, 5]],
        [{ model: 'x' }, 0, [0, 1, 2, 3, 4, 5]],
        [{}, 6, []],
      ] as const) {
        for (const key of all) await store.put(key, entryOf('x', clock.wallMs()));
        assert.equal(await store.purge(keys), count, JSON.stringify(keys));
        assert.deepEqual(await left(), wanted, JSON.stringify(keys));
      }
    });

    it('is a table of keys, in whatever order it is asked', async (t) => {
      const clock = new VirtualClock();
      const store = await newStore(clock, t);
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
          await store.purge({});
          await play(store, clock, steps);
        }),
        { numRuns: repetitions({ quick: 30, full: 1000 }) },
      );
    });

    it('has nothing any more once it is closed', async (t) => {
      const clock = new VirtualClock();
      const store = await newStore(clock, t);
      await store.put(keyAt(1), entryOf('x', clock.wallMs()));
      store.close();
      assert.equal(await store.get(keyAt(1)), null);
    });
  });
}

/** Against the naive model: a map. */
async function play(store: CacheStore, clock: VirtualClock, steps: readonly Step[]): Promise<void> {
  const model = new Map<number, CacheEntry>();
  const ownerOf = (at: number) => owners[at % owners.length] ?? owners[0];
  const usable = (entry: CacheEntry): boolean => clock.wallMs() < entry.freshness.ifErrorUntilMs;
  for (const [number, one] of steps.entries()) {
    if (one.kind === 'pass') await clock.runUntil(clock.nowMs() + one.forMs);
    else if (one.kind === 'put') {
      const entry = entryOf(`${number}`, clock.wallMs());
      await store.put(keyAt(one.at, ownerOf(one.at)), entry);
      model.set(one.at, entry);
    } else if (one.kind === 'get') {
      const wanted = model.get(one.at);
      assertSame(
        await store.get(keyAt(one.at, ownerOf(one.at))),
        wanted !== undefined && usable(wanted) ? wanted : null,
      );
    } else {
      await store.purge(one.keys);
      for (const at of model.keys())
        if (Object.entries(one.keys).every(([name, value]) => ownerOf(at)[name as 'model'] === value)) model.delete(at);
    }
  }
}

function assertSame(found: CacheEntry | null, wanted: CacheEntry | null): void {
  assert.deepEqual(found && plain(found), wanted && plain(wanted));
}

function plain({ body, headers, etag, freshness }: CacheEntry): object {
  return { body: Buffer.from(body).toString('base64'), headers, etag, freshness };
}
