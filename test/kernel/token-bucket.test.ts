import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TokenBucket } from '../../gateway/kernel/token-bucket.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { repetitions } from '../support/counts.ts';

describe('a token bucket', () => {
  it('gives its burst at once, then one for each part of a second that its rate says', async () => {
    const clock = new VirtualClock();
    const bucket = new TokenBucket({ ratePerSecond: 4, burst: 2, clock });
    const taken = (): boolean[] => [bucket.take(), bucket.take(), bucket.take()];
    assert.deepEqual(taken(), [true, true, false]);
    await clock.runUntil(249);
    assert.equal(bucket.take(), false);
    await clock.runUntil(250);
    assert.deepEqual(taken(), [true, false, false]);
    await clock.runUntil(60_000);
    assert.deepEqual(taken(), [true, true, false], 'a long pause saves up no more than the burst');
  });

  it('gives none where it holds none', async () => {
    const clock = new VirtualClock();
    const bucket = new TokenBucket({ ratePerSecond: 0, burst: 0, clock });
    await clock.runUntil(1_000_000);
    assert.equal(bucket.take(), false);
  });

  it('never gives more than its burst and its rate over any stretch of time, and no less to whoever asks all the time', async () => {
    const history = fc.record({
      ratePerSecond: fc.integer({ min: 0, max: 50 }),
      burst: fc.integer({ min: 0, max: 20 }),
      pausesMs: fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 60, size: 'max' }),
    });
    await fc.assert(
      fc.asyncProperty(history, async ({ ratePerSecond, burst, pausesMs }) => {
        const clock = new VirtualClock();
        const bucket = new TokenBucket({ ratePerSecond, burst, clock });
        const takenAtMs: number[] = [];
        for (const pauseMs of pausesMs) {
          await clock.runUntil(clock.nowMs() + pauseMs);
          while (bucket.take()) takenAtMs.push(clock.nowMs());
        }
        for (const [from, startMs] of takenAtMs.entries())
          for (const [to, endMs] of takenAtMs.entries()) {
            const most = burst + ((endMs - startMs) * ratePerSecond) / 1000;
            if (to >= from) assert.ok(to - from + 1 <= most + 1e-6, `${to - from + 1} in ${endMs - startMs} ms`);
          }
        if (burst > 0) assert.ok(takenAtMs.length >= Math.min(burst, pausesMs.length));
      }),
      { numRuns: repetitions({ quick: 300, full: 10_000 }) },
    );
  });
});
