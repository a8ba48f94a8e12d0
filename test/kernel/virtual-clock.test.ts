import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { repetitions } from '../support/counts.ts';

describe('a virtual clock', () => {
  it('stands still until it is told to move, and then moves as far as told', async () => {
    const clock = new VirtualClock(1_000_000);
    assert.equal(clock.nowMs(), 0);
    await clock.runUntil(250.5);
    assert.equal(clock.nowMs(), 250.5);
    assert.equal(clock.wallMs(), 1_000_250.5);
    await clock.runUntil(100);
    assert.equal(clock.nowMs(), 250.5, 'it never goes back');
  });

  it('shows the time at which each call fell due', async () => {
    const clock = new VirtualClock();
    const seen: number[] = [];
    for (const delayMs of [30, 10, 20]) clock.after(delayMs, () => seen.push(clock.nowMs()));
    await clock.runUntil(25);
    assert.deepEqual(seen, [10, 20]);
    assert.equal(clock.pending, 1);
    await clock.runUntil(1000);
    assert.deepEqual(seen, [10, 20, 30]);
  });

  it('makes calls in the order of their times, and of their asking where those are equal', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(20), fc.boolean()), { maxLength: 60, size: 'max' }), async (all) => {
        const clock = new VirtualClock();
        const made: number[] = [];
        const timers = all.map(([delayMs], at) => clock.after(delayMs, () => made.push(at)));
        for (const [at, [, isKept]] of all.entries()) if (!isKept) timers[at]?.cancel();
        const kept = all.map(([delayMs, isKept], at) => ({ delayMs, isKept, at })).filter(({ isKept }) => isKept);
        assert.equal(clock.pending, kept.length);
        await clock.runAll();
        assert.deepEqual(
          made,
          kept.toSorted((a, b) => a.delayMs - b.delayMs || a.at - b.at).map(({ at }) => at),
        );
      }),
      { numRuns: repetitions({ quick: 50, full: 2000 }) },
    );
  });

  it('lets every promise settle between two calls, however long the chain', async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    clock.after(10, async () => {
      for (let n = 0; n < 50; n++) await null;
      seen.push('chain');
    });
    clock.after(10, () => seen.push('next call'));
    await clock.runUntil(10);
    assert.deepEqual(seen, ['chain', 'next call']);
  });

  it('runs calls that others ask for on the way', async () => {
    const clock = new VirtualClock();
    let count = 0;
    const again = (): void => {
      count += 1;
      if (count < 5) clock.after(10, again);
    };
    clock.after(10, again);
    await clock.runAll();
    assert.equal(count, 5);
    assert.equal(clock.nowMs(), 50);
    assert.equal(clock.pending, 0);
  });

  it('runs until a promise has settled, and leaves what is due later, or again and again, where it is', async () => {
    const clock = new VirtualClock();
    const again = (): void => void clock.after(7, again);
    again();
    const value = clock.sleep(30).then(() => clock.nowMs());
    assert.equal(await clock.runThrough(value), 30);
    assert.deepEqual([clock.nowMs(), clock.pending], [30, 1]);
  });

  it('rejects as the promise does, and where it waits for what never comes', async () => {
    const clock = new VirtualClock();
    await assert.rejects(clock.runThrough(Promise.reject(new Error('no'))), /^Error: no$/);
    await assert.rejects(clock.runThrough(new Promise(() => {})), /nothing is pending/);
  });
});
