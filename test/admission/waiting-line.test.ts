import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Place, WaitingLine } from '../../gateway/admission/waiting-line.ts';
import { repetitions } from '../support/counts.ts';

function itemsOf<T>(line: WaitingLine<T>): T[] {
  return [...line].map(({ item }) => item);
}

describe('a waiting line', () => {
  it('keeps the order in which people join', () => {
    const line = new WaitingLine<string>();
    for (const name of ['a', 'b', 'c']) line.join(name);
    assert.deepEqual(itemsOf(line), ['a', 'b', 'c']);
    assert.equal(line.length, 3);
  });

  it('lets in at its head who is entitled to it', () => {
    const line = new WaitingLine<string>();
    line.join('a');
    line.joinAtHead('b');
    assert.deepEqual(itemsOf(line), ['b', 'a']);
  });

  it('closes up behind who leaves, from any place; leaving twice changes nothing', () => {
    for (const leaver of ['a', 'b', 'c']) {
      const line = new WaitingLine<string>();
      const places = ['a', 'b', 'c'].map((name) => line.join(name));
      const place = places.find((one) => one.item === leaver);
      place?.leave();
      place?.leave();
      assert.deepEqual(
        itemsOf(line),
        ['a', 'b', 'c'].filter((name) => name !== leaver),
      );
      assert.equal(line.length, 2);
    }
  });

  it('can be walked while the one the walk stands on leaves', () => {
    const line = new WaitingLine<number>();
    for (let n = 0; n < 5; n++) line.join(n);
    const seen: number[] = [];
    for (const place of line) {
      seen.push(place.item);
      if (place.item % 2 === 0) place.leave();
    }
    assert.deepEqual(seen, [0, 1, 2, 3, 4]);
    assert.deepEqual(itemsOf(line), [1, 3]);
  });

  it('does as a list would, whoever joins and leaves', () => {
    const moves = fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('join' as const) }),
        fc.record({ kind: fc.constant('head' as const) }),
        fc.record({ kind: fc.constant('leave' as const), which: fc.nat(20) }),
      ),
      { maxLength: 60, size: 'max' },
    );
    fc.assert(
      fc.property(moves, (all) => {
        const line = new WaitingLine<number>();
        const model: Place<number>[] = [];
        const left: Place<number>[] = [];
        for (const [at, move] of all.entries()) {
          if (move.kind === 'head') model.unshift(line.joinAtHead(at));
          else if (move.kind === 'join') model.push(line.join(at));
          else {
            const [place] = model.splice(move.which % Math.max(1, model.length), 1);
            place?.leave();
            if (place !== undefined) left.push(place);
            left[move.which % Math.max(1, left.length)]?.leave();
          }
          assert.deepEqual([...line], model);
          assert.equal(line.length, model.length);
        }
      }),
      { numRuns: repetitions({ quick: 200, full: 10_000 }) },
    );
  });
});
