import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newRequestId, seededRng, systemRng } from '../../gateway/kernel/rng.ts';
import { repetitions } from '../support/counts.ts';
import { assertUniform, tally } from '../support/statistics.ts';

function numbers(seed: number, count = 20): number[] {
  const rng = seededRng(seed);
  return Array.from({ length: count }, () => rng.next());
}

describe('a seeded generator', () => {
  it('repeats itself on the same seed, and on no other', () => {
    const seeds = [0, 1, 2, 3, -1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER];
    for (const seed of seeds) assert.deepEqual(numbers(seed), numbers(seed));
    assert.equal(new Set(seeds.map((seed) => numbers(seed).join())).size, seeds.length);
  });

  it('draws from 0 up to, but not including, 1, evenly', () => {
    const rng = seededRng(1);
    const bins = Array.from({ length: 64 }, (_, at) => at);
    const draws = repetitions({ quick: 50_000, full: 5_000_000 });
    const counts = tally(bins, draws, () => Math.floor(rng.next() * 64));
    assertUniform(counts, '64 bins');
  });

  it('draws whole numbers below a count evenly, with every one in reach', () => {
    for (const count of [1, 2, 3, 7, 10]) {
      const rng = seededRng(count);
      const keys = Array.from({ length: count }, (_, at) => at);
      const counts = tally(keys, 20_000, () => rng.below(count));
      if (count > 1) assertUniform(counts, `below ${count}`);
      else assert.deepEqual(counts, [20_000]);
    }
  });

  it('shows no likeness between neighbouring seeds in their first draws', () => {
    const bins = Array.from({ length: 10 }, (_, at) => at);
    let seed = 0;
    const firsts = tally(bins, 20_000, () => Math.floor(seededRng(seed++).next() * 10));
    assertUniform(firsts, 'first draws of seeds in a row');
  });
});

it('two generators of the system draw different numbers', () => {
  const [one, other] = [systemRng(), systemRng()];
  assert.notDeepEqual([one.next(), one.next()], [other.next(), other.next()]);
});

it('request ids are UUIDs, each a new one', () => {
  const ids = Array.from({ length: 100 }, newRequestId);
  assert.equal(new Set(ids).size, 100);
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
