import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RollingQuantile } from '../../gateway/kernel/quantile.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { repetitions } from '../support/counts.ts';

const windowMs = 1000;

function exactOf(samples: readonly number[], quantile: number): number {
  return samples.toSorted((a, b) => a - b)[Math.ceil(quantile * samples.length) - 1] ?? assert.fail();
}

/** Up to 5 % above, and not below. */
function isNear(told: number, exact: number): boolean {
  return told >= exact * (1 - 1e-9) && told <= Math.max(exact, 0.05) * 1.05 * (1 + 1e-9);
}

describe('a rolling quantile', () => {
  it('does not say while it has too few samples', () => {
    const times = new RollingQuantile({ windowMs, fewestSamples: 3, clock: new VirtualClock() });
    assert.equal(times.of(0.5), null);
    times.add(10);
    times.add(10);
    assert.equal(times.of(0.5), null);
    times.add(10);
    assert.ok(isNear(times.of(0.5) ?? 0, 10));
  });

  it('forgets what is older than its window and a half, also when nobody has asked meanwhile', async () => {
    for (const looksInBetween of [true, false]) {
      const clock = new VirtualClock();
      const times = new RollingQuantile({ windowMs, fewestSamples: 1, clock });
      times.add(10);
      if (looksInBetween) {
        await clock.runUntil(windowMs - 1);
        assert.ok(isNear(times.of(0.5) ?? 0, 10));
      }
      await clock.runUntil(1.5 * windowMs);
      assert.equal(times.of(0.5), null);
    }
  });

  it('takes what is shorter or longer than it can tell apart as its shortest and its longest', () => {
    const times = new RollingQuantile({ windowMs, fewestSamples: 1, clock: new VirtualClock() });
    times.add(0);
    assert.equal(times.of(1), 0.05);
    times.add(1e12);
    assert.ok((times.of(1) ?? 0) > 3_600_000);
  });

  it('is within 5 % above the exact one of what came since some instant, between half a window and one and a half ago', async () => {
    const duration = fc.double({ min: -3, max: 15, noNaN: true }).map(Math.exp);
    const history = fc.record({
      quantile: fc.constantFrom(0.01, 0.5, 0.9, 0.95, 0.99, 1),
      steps: fc.array(fc.record({ afterMs: fc.oneof(fc.nat(5), fc.nat(1200)), duration }), {
        minLength: 1,
        maxLength: 80,
        size: 'max',
      }),
    });
    await fc.assert(
      fc.asyncProperty(history, async ({ quantile, steps }) => {
        const clock = new VirtualClock();
        const times = new RollingQuantile({ windowMs, fewestSamples: 1, clock });
        const samples: { readonly atMs: number; readonly duration: number }[] = [];
        for (const { afterMs, duration: took } of steps) {
          await clock.runUntil(clock.nowMs() + afterMs);
          times.add(took);
          samples.push({ atMs: clock.nowMs(), duration: took });
          const told = times.of(quantile) ?? assert.fail('it has a sample at least');
          const since = (ageMs: number): number => samples.findIndex(({ atMs }) => atMs >= clock.nowMs() - ageMs);
          const [oldest, youngest] = [since(1.5 * windowMs), since(windowMs / 2)];
          const held = samples.map((one) => one.duration);
          const mayBe = Array.from({ length: youngest - oldest + 1 }, (_, at) => held.slice(oldest + at));
          assert.ok(
            mayBe.some((some) => isNear(told, exactOf(some, quantile))),
            `${told} of ${held.slice(oldest)}`,
          );
        }
      }),
      { numRuns: repetitions({ quick: 300, full: 10_000 }) },
    );
  });
});
