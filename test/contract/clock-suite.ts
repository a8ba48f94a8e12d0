import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Clock } from '../../gateway/kernel/clock.ts';

interface ClockUnderTest {
  readonly clock: Clock;
  /** Lets time pass until a promise has settled. */
  until<T>(promise: Promise<T>): Promise<T>;
  /** A call may come this much before its time: the machine's timers count in whole milliseconds. */
  readonly earlyMs: number;
}

/** What every clock keeps to. Nothing here depends on how fast the machine is. */
export function clockSuite(name: string, newClock: () => ClockUnderTest): void {
  describe(name, () => {
    it('calls once, after the delay, never within the call that asks for it', async () => {
      const { clock, until, earlyMs } = newClock();
      for (const delayMs of [0, 0.5, 3, 7.3]) {
        const startedAtMs = clock.nowMs();
        let calls = 0;
        await until(
          new Promise<void>((resolve) => {
            clock.after(delayMs, () => {
              calls += 1;
              resolve();
            });
            assert.equal(calls, 0);
          }),
        );
        assert.ok(clock.nowMs() >= startedAtMs + delayMs - earlyMs, `called before ${delayMs} ms`);
        await until(clock.sleep(5));
        assert.equal(calls, 1);
      }
    });

    it('does not call what was cancelled, and lets cancel be called at any time', async () => {
      const { clock, until } = newClock();
      const called: string[] = [];
      const cancelled = clock.after(2, () => called.push('cancelled'));
      const kept = clock.after(2, () => called.push('kept'));
      cancelled.cancel();
      cancelled.cancel();
      await until(clock.sleep(10));
      kept.cancel();
      assert.deepEqual(called, ['kept']);
    });

    it('calls in the order of the delays', async () => {
      const { clock, until } = newClock();
      const called: number[] = [];
      for (const delayMs of [30, 1, 15]) clock.after(delayMs, () => called.push(delayMs));
      await until(clock.sleep(60));
      assert.deepEqual(called, [1, 15, 30]);
    });

    it('takes a delay in the past for none, and one of years for a long one', async () => {
      const { clock, until } = newClock();
      const called: string[] = [];
      const years = clock.after(10 * 365 * 86_400_000, () => called.push('years'));
      clock.after(-5, () => called.push('past'));
      await until(clock.sleep(10));
      years.cancel();
      assert.deepEqual(called, ['past']);
    });

    it('never goes back', async () => {
      const { clock, until } = newClock();
      const seen: number[] = [];
      for (let n = 0; n < 20; n++) {
        seen.push(clock.nowMs());
        if (n % 5 === 0) await until(clock.sleep(1));
      }
      assert.deepEqual(
        seen,
        seen.toSorted((a, b) => a - b),
      );
    });

    it('tells people a time of this century', () => {
      const { clock } = newClock();
      const year = new Date(clock.wallMs()).getUTCFullYear();
      assert.ok(year >= 2024 && year < 2100, String(year));
    });
  });
}
