import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { GatheredBytes } from '../../gateway/protocols/gathered-bytes.ts';
import { repetitions } from '../support/counts.ts';

it('bytes are what was added, but for what was forgotten', () => {
  const piece = fc.uint8Array({ maxLength: 3_000 });
  const step = fc.oneof(piece, fc.nat(2_000));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const gathered = new GatheredBytes();
      let wanted = Buffer.alloc(0);
      for (const one of steps) {
        if (typeof one === 'number') {
          gathered.keepLast(one);
          wanted = one === 0 ? Buffer.alloc(0) : wanted.subarray(-one);
        } else {
          gathered.add(one);
          wanted = Buffer.concat([wanted, one]);
        }
        assert.equal(gathered.length, wanted.length);
        assert.ok(gathered.bytes.equals(wanted));
      }
    }),
    { numRuns: repetitions({ quick: 100, full: 10_000 }) },
  );
});
