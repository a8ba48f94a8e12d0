import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { freshnessOf, isKnown, type Use, usableUntilMs, useOf, wishOf } from '../../gateway/cache/freshness.ts';

const rules = { freshMs: 10_000, staleWhileRevalidateMs: 5_000, staleIfErrorMs: 60_000 };
const storedAtMs = 1_000_000;

function usesOf(cacheControl: string | null, own = rules): [Use, number][] {
  const freshness = freshnessOf(own, cacheControl, storedAtMs);
  const uses: [Use, number][] = [];
  for (let ageMs = 0; ageMs <= 80_000; ageMs += 500) {
    const use = useOf(freshness, storedAtMs + ageMs);
    if (uses.at(-1)?.[0] !== use) uses.push([use, ageMs]);
  }
  assert.equal(useOf(freshness, usableUntilMs(freshness)), 'none');
  return uses;
}

describe('an answer that is kept', () => {
  it('is fresh, then given while a new one is asked for, then only where there is none', () => {
    assert.deepEqual(usesOf(null), [
      ['fresh', 0],
      ['while_revalidating', 10_000],
      ['if_error', 15_000],
      ['none', 70_000],
    ]);
  });

  it('may be given for longer while a new one is asked for than where there is none', () => {
    assert.deepEqual(usesOf(null, { ...rules, staleIfErrorMs: 1_000 }), [
      ['fresh', 0],
      ['while_revalidating', 10_000],
      ['none', 15_000],
    ]);
  });

  it('is fresh no longer than it says itself, nor than the route says', () => {
    assert.deepEqual(usesOf('public, max-age=2')[1], ['while_revalidating', 2_000]);
    assert.deepEqual(usesOf('max-age=100')[1], ['while_revalidating', 10_000]);
    assert.deepEqual(usesOf('max-age=1, S-MaxAge="3"')[1], ['while_revalidating', 3_000]);
    assert.deepEqual(usesOf('max-age=soon')[1], ['while_revalidating', 10_000]);
  });

  it('is never stale where it must be asked for anew', () => {
    for (const directive of ['must-revalidate', 'Proxy-Revalidate'])
      assert.deepEqual(usesOf(directive), [
        ['fresh', 0],
        ['none', 10_000],
      ]);
  });
});

describe('a request', () => {
  it('says in cache-control what it wants of answers that are kept', () => {
    for (const [cacheControl, wish] of [
      [undefined, 'any'],
      ['max-age=60', 'any'],
      ['no-cache', 'new'],
      ['No-Cache, max-age=60', 'new'],
      ['max-age=0', 'new'],
      ['no-store', 'private'],
      ['no-cache, NO-STORE', 'private'],
      ['x="no-store"', 'any'],
    ] as const)
      assert.equal(
        wishOf(cacheControl === undefined ? {} : { 'cache-control': cacheControl }),
        wish,
        cacheControl ?? 'none',
      );
  });

  it('knows an answer by its validator, weak or strong', () => {
    const etag = 'W/"abc"';
    for (const known of ['W/"abc"', '"abc"', '*', '"x", W/"abc" , "y"']) assert.ok(isKnown(known, etag), known);
    for (const unknown of [null, '', '"ab"', 'abc', '"abcd"', '"x,abc"'])
      assert.ok(!isKnown(unknown, etag), unknown ?? 'none');
  });
});
