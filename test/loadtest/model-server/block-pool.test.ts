import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BlockPool, type Held } from '../../../loadtest/model-server/block-pool.ts';
import { repetitions } from '../../support/counts.ts';
import { type Block, NaivePool } from './naive-pool.ts';

/** A prompt is a walk down a tree of blocks: one number for each step, and each block is known by the whole way to it. */
function keysOf(walk: readonly number[]): number[] {
  let key = 1;
  return walk.map((step) => {
    key = key * 4 + step;
    return key;
  });
}

test('hits, room and what is forgotten first are those of a pool without cleverness, in every history', () => {
  const walk = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 5 });
  const step = fc.oneof(
    fc.record({ does: fc.constant('hold'), walk, more: fc.integer({ min: 0, max: 3 }), isWhole: fc.boolean() }),
    fc.record({ does: fc.constantFrom('publish', 'release'), which: fc.nat(10) }),
  );
  const property = fc.property(
    fc.array(step, { maxLength: 60 }),
    fc.integer({ min: 1, max: 12 }),
    (steps, capacity) => {
      const pool = new BlockPool(capacity);
      const naive = new NaivePool(capacity);
      const sequences: { keys: number[]; held: Held; naive: Block[]; isPublished: boolean }[] = [];
      for (const one of steps) {
        if ('walk' in one) {
          const keys = keysOf(one.walk);
          const hits = pool.hits(keys, one.isWhole);
          assert.equal(hits, naive.hits(keys, one.isWhole));
          const total = keys.length + one.more;
          const held = pool.hold(keys, hits, total);
          const naiveHeld = naive.hold(keys, hits, total);
          assert.equal(held === null, naiveHeld === null);
          if (held !== null && naiveHeld !== null) sequences.push({ keys, held, naive: naiveHeld, isPublished: false });
        } else if (sequences.length > 0) {
          const at = one.which % sequences.length;
          const sequence = sequences[at] as (typeof sequences)[number];
          if (one.does === 'publish' && !sequence.isPublished) {
            pool.publish(sequence.held, sequence.keys);
            naive.publish(sequence.naive, sequence.keys);
            sequence.isPublished = true;
          }
          if (one.does === 'release') {
            pool.release(sequence.held);
            naive.release(sequence.naive, sequence.keys);
            sequences.splice(at, 1);
          }
        }
        assert.equal(pool.held, naive.held);
        assert.ok(pool.held <= capacity);
      }
      for (const sequence of sequences) pool.release(sequence.held);
      assert.equal(pool.held, 0, 'nothing is held when all have ended');
    },
  );
  fc.assert(property, { numRuns: repetitions({ quick: 1_000, full: 50_000 }) });
});

test('of a prompt that all blocks are there of, the last is computed again', () => {
  const pool = new BlockPool(4);
  const held = pool.hold([1, 2], 0, 2) as Held;
  pool.publish(held, [1, 2]);
  assert.equal(pool.hits([1, 2], true), 1);
  assert.equal(pool.hits([1, 2], false), 2);
});

test('what was let go longest ago is forgotten first, and of one prompt its end', () => {
  const pool = new BlockPool(4);
  for (const keys of [
    [1, 2],
    [3, 4],
  ]) {
    const held = pool.hold(keys, 0, 2) as Held;
    pool.publish(held, keys);
    pool.release(held);
  }
  pool.hold([], 0, 1);
  assert.deepEqual([pool.hits([1, 2], false), pool.hits([3, 4], false)], [1, 2]);
});
