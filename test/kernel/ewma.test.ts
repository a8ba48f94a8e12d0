import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ewma } from '../../gateway/kernel/ewma.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';

async function meanOf(
  looks: readonly (readonly [afterMs: number, value: number])[],
  memoryMs = 1_000,
): Promise<number> {
  const clock = new VirtualClock();
  const ewma = new Ewma({ memoryMs, clock });
  for (const [afterMs, value] of looks) {
    await clock.runUntil(clock.nowMs() + afterMs);
    ewma.add(value);
  }
  return ewma.mean;
}

const near = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}, wanted ${expected}`);

describe('a mean over time', () => {
  it('is nothing before the first look, and what was seen after it', async () => {
    near(await meanOf([]), 0);
    near(await meanOf([[5, 0.8]]), 0.8);
  });

  it('forgets: what was seen a memory ago counts 1/e', async () => {
    const share = 1 - Math.exp(-1);
    near(
      await meanOf([
        [1e9, 0],
        [1_000, 1],
      ]),
      share,
    );
  });

  it('goes by time, however often it was looked', async () => {
    const often = Array.from({ length: 100 }, () => [10, 1] as const);
    near(
      await meanOf([[1e9, 0], ...often]),
      await meanOf([
        [1e9, 0],
        [1_000, 1],
      ]),
    );
  });

  it('does not count a second look at the same moment', async () => {
    near(
      await meanOf([
        [1_000, 1],
        [0, 0],
      ]),
      1,
    );
  });
});
