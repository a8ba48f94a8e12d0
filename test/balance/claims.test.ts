import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { claim, type Spot } from '../../gateway/balance/claims.ts';
import { repetitions } from '../support/counts.ts';

/** `backend/id@place`. */
function spot(text: string): Spot {
  const [, backendName = '', id = '', place = ''] = /^(\w+)\/(\w+)@(\w+)$/.exec(text) ?? [];
  return { backendName, id, place };
}

/** Who goes on where, in the order of those wanted; `-` for nobody. */
function claimed(wanted: readonly string[], there: readonly string[]): string[] {
  return claim(wanted.map(spot), there.map(spot)).map((one) =>
    one === null ? '-' : `${one.backendName}/${one.id}@${one.place}`,
  );
}

describe('claims', () => {
  it('let stay who has the same backend, id and place, whatever the order', () => {
    assert.deepEqual(claimed(['p/a@x', 'p/b@x', 'q/a@x'], ['q/a@x', 'p/b@x', 'p/a@x']), ['p/a@x', 'p/b@x', 'q/a@x']);
  });

  it('let go on under another id, and failing that in another backend, who is in the same place', () => {
    assert.deepEqual(claimed(['p/c@x'], ['q/c@x', 'p/b@x']), ['p/b@x']);
    assert.deepEqual(claimed(['p/c@x'], ['q/b@x']), ['q/b@x']);
  });

  it('go to who stayed before they go to who moved, though it comes first', () => {
    assert.deepEqual(claimed(['p/new@x', 'p/a@x'], ['p/a@x']), ['-', 'p/a@x']);
  });

  it('are no matter of names: in another place it is another replica', () => {
    assert.deepEqual(claimed(['p/a@y'], ['p/a@x']), ['-']);
  });

  it('take nobody twice, leave nobody out who could go on, and never change a place', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const spots = fc.array(fc.record({ backendName: name, id: name, place: name }), { maxLength: 8 });
    fc.assert(
      fc.property(spots, spots, (wanted, there) => {
        const found = claim(wanted, there);
        const taken = found.filter((one) => one !== null);
        assert.equal(new Set(taken).size, taken.length);
        const count = (place: string, among: readonly Spot[]): number =>
          among.filter((one) => one.place === place).length;
        for (const place of ['a', 'b', 'c'])
          assert.equal(count(place, taken), Math.min(count(place, wanted), count(place, there)));
        for (const [at, one] of found.entries()) if (one !== null) assert.equal(one.place, wanted[at]?.place);
      }),
      { numRuns: repetitions({ quick: 300, full: 20_000 }) },
    );
  });
});
