import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bytesBody } from '../../gateway/pipeline/reply.ts';
import type { Serve } from '../../gateway/pipeline/stage.ts';
import { Flying } from '../support/caching/flying.ts';

describe('what is remembered of answers that were for one alone', () => {
  it('is bounded: of 10,001 the first is forgotten', async () => {
    let begun = 0;
    const answersOne: Serve = async () => {
      begun += 1;
      const body = bytesBody(new Uint8Array(0));
      return { status: 200, headers: ['set-cookie', 'a=1'], source: 'upstream', body };
    };
    const flying = new Flying({ around: { above: (next) => next, below: () => answersOne } });
    for (let n = 0; n <= 10_000; n++) flying.call({ key: `k${n}` });
    await flying.clock.runAll();
    const begunFor = (key: string): number => {
      const before = begun;
      for (let n = 0; n < 3; n++) flying.call({ key });
      return begun - before;
    };
    assert.deepEqual([begunFor('k0'), begunFor('k1'), begunFor('k10000')], [1, 3, 3]);
    await flying.clock.runAll();
    assert.deepEqual(flying.leftovers(), []);
  });
});
