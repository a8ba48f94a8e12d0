import assert from 'node:assert/strict';
import { it } from 'node:test';
import { SlowStart } from '../../gateway/guard/slow-start.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';

it('a replica that never began slowly, or for no time, carries all of its weight', () => {
  const slowStart = new SlowStart(new VirtualClock());
  assert.deepEqual([slowStart.share, slowStart.untilMs], [1, null]);
  slowStart.begin(0);
  assert.deepEqual([slowStart.share, slowStart.untilMs], [1, null]);
});

it('a slow start grows in steps of a tenth from a tenth to the whole, and says until when', async () => {
  const clock = new VirtualClock();
  const slowStart = new SlowStart(clock);
  await clock.runUntil(500);
  slowStart.begin(10_000);
  const shares: number[] = [];
  for (const atMs of [500, 1500, 5500, 5700, 10_499]) {
    await clock.runUntil(atMs);
    shares.push(slowStart.share);
    assert.equal(slowStart.untilMs, 10_500);
  }
  assert.deepEqual(shares, [0.1, 0.1, 0.5, 0.5, 0.9]);
  await clock.runUntil(10_500);
  assert.deepEqual([slowStart.share, slowStart.untilMs], [1, null]);
});

it('a slow start that begins again begins with a tenth', async () => {
  const clock = new VirtualClock();
  const slowStart = new SlowStart(clock);
  slowStart.begin(1000);
  await clock.runUntil(900);
  slowStart.begin(1000);
  assert.equal(slowStart.share, 0.1);
});
