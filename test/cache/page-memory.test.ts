import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PageMemory, pageBytes, pagesFor } from '../../gateway/cache/page-memory.ts';
import { repetitions } from '../support/counts.ts';

const pageCount = 20;
const sizes = fc.oneof(
  fc.integer({ min: 1, max: 6 * pageBytes }),
  fc.constantFrom(1, pageBytes, pageBytes + 1, 2 * pageBytes),
);

describe('memory in pages', () => {
  it('gives back what is written there, whatever is written and freed besides', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ size: sizes, frees: fc.nat(3) }), { maxLength: 60 }), (steps) => {
        const memory = new PageMemory(pageCount);
        const held: { first: number; bytes: Buffer }[] = [];
        for (const [number, { size, frees }] of steps.entries()) {
          for (const { first } of held.splice(0, frees)) memory.free(first);
          const bytes = Buffer.alloc(size, `${number},`);
          if (pagesFor(size) > memory.freePages) assert.throws(() => memory.write(cut(bytes)), RangeError);
          if (pagesFor(size) > memory.freePages) break;
          held.push({ first: memory.write(cut(bytes)), bytes });
          const used = held.reduce((sum, one) => sum + pagesFor(one.bytes.length), 0);
          assert.equal(memory.freePages, pageCount - used);
          for (const one of held) assert.deepEqual(memory.read(one.first, one.bytes.length), one.bytes);
        }
      }),
      { numRuns: repetitions({ quick: 200, full: 10_000 }) },
    );
  });

  it('gives copies, which later writing does not change', () => {
    const memory = new PageMemory(1);
    const first = memory.write([Buffer.from('before')]);
    const copy = memory.read(first, 6);
    memory.free(first);
    memory.write([Buffer.from('behind')]);
    assert.equal(String(copy), 'before');
  });
});

function cut(bytes: Buffer): Buffer[] {
  const at = Math.floor(bytes.length / 3);
  return [bytes.subarray(0, at), bytes.subarray(at)];
}
