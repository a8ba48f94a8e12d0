import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PassingBody } from '../../gateway/pipeline/passing-body.ts';
import { type Body, type BodyEnd, bytesBody, type Reply } from '../../gateway/pipeline/reply.ts';
import type { Serve } from '../../gateway/pipeline/stage.ts';
import { Flying, textOf } from '../support/caching/flying.ts';
import { repetitions } from '../support/counts.ts';
import {
  assertAlone,
  assertBytes,
  assertFast,
  assertNobodyElse,
  assertOnce,
  history,
  play,
} from './flight-histories.ts';

describe('whatever those who share do, and whatever becomes of what they share', () => {
  const numRuns = repetitions({ quick: 300, full: 10_000 });

  it('each is answered once, with the bytes of one answer from its beginning, and nothing is left behind', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (one) => {
        const played = await play(one);
        assertOnce(played);
        for (const called of played.flying.called) assertBytes(called, played);
      }),
      { numRuns },
    );
  });

  it('nothing is computed for nobody, or ended for who leaves while others stay, or computed twice beside each other', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (one) => {
        const played = await play({ ...one, roomBytes: 1 << 24, maxBytes: 1 << 20 });
        assertNobodyElse(played);
        assertAlone(played);
        assertFast(played);
      }),
      { numRuns },
    );
  });
});
