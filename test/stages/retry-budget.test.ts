import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { RetryBudget } from '../../gateway/stages/retry-budget.ts';
import { repetitions } from '../support/counts.ts';

describe('a retry budget', () => {
  it('allows a share of the requests of the last ten seconds', async () => {
    const clock = new VirtualClock();
    const budget = new RetryBudget({ share: 0.2, floorPerSecond: 0, clock });
    assert.equal(budget.withdraw(), false);
    for (let n = 0; n < 10; n++) budget.deposit();
    assert.deepEqual([budget.withdraw(), budget.withdraw(), budget.withdraw()], [true, true, false]);
    await clock.runUntil(9_999);
    assert.equal(budget.withdraw(), false, 'those are still counted');
    for (let n = 0; n < 10; n++) budget.deposit();
    assert.deepEqual([budget.withdraw(), budget.withdraw(), budget.withdraw()], [true, true, false]);
    await clock.runUntil(30_000);
    assert.equal(budget.withdraw(), false, 'nobody has asked for long');
  });

  it('allows so many a second nevertheless, which cost the share nothing', async () => {
    const clock = new VirtualClock();
    const budget = new RetryBudget({ share: 0.5, floorPerSecond: 2, clock });
    assert.deepEqual([budget.withdraw(), budget.withdraw(), budget.withdraw()], [true, true, false]);
    budget.deposit();
    budget.deposit();
    assert.deepEqual([budget.withdraw(), budget.withdraw()], [true, false]);
    await clock.runUntil(500);
    assert.deepEqual([budget.withdraw(), budget.withdraw()], [true, false]);
  });

  it('with a floor of less than one a second allows one now and then', async () => {
    const clock = new VirtualClock();
    const budget = new RetryBudget({ share: 0, floorPerSecond: 0.5, clock });
    assert.deepEqual([budget.withdraw(), budget.withdraw()], [true, false]);
    await clock.runUntil(2000);
    assert.deepEqual([budget.withdraw(), budget.withdraw()], [true, false]);
  });

  it('never allows more than its share of the window and the floor, nor denies what is within its share', async () => {
    const history = fc.record({
      share: fc.constantFrom(0, 0.05, 0.2, 0.5, 1),
      floorPerSecond: fc.constantFrom(0, 0.5, 1, 3, 10),
      steps: fc.array(
        fc.record({
          afterMs: fc.oneof(fc.nat(50), fc.nat(4000), fc.nat(15_000)),
          deposits: fc.nat(20),
          withdrawals: fc.nat(10),
        }),
        {
          maxLength: 40,
          size: 'max',
        },
      ),
    });
    await fc.assert(
      fc.asyncProperty(history, async ({ share, floorPerSecond, steps }) => {
        const clock = new VirtualClock();
        const budget = new RetryBudget({ share, floorPerSecond, clock });
        const requestsAtMs: number[] = [];
        const extraAtMs: number[] = [];
        const secondOf = (atMs: number): number => Math.floor(atMs / 1000);
        for (const { afterMs, deposits, withdrawals } of steps) {
          await clock.runUntil(clock.nowMs() + afterMs);
          const nowMs = clock.nowMs();
          for (let n = 0; n < deposits; n++) {
            budget.deposit();
            requestsAtMs.push(nowMs);
          }
          const inWindow = (all: readonly number[]): number =>
            all.filter((atMs) => secondOf(atMs) > secondOf(nowMs) - 10).length;
          const fromMs = (secondOf(nowMs) - 9) * 1000;
          const floor = Math.ceil(floorPerSecond) + ((nowMs - Math.max(0, fromMs)) * floorPerSecond) / 1000;
          for (let n = 0; n < withdrawals; n++) {
            const isWithin = inWindow(extraAtMs) + 1 <= share * inWindow(requestsAtMs);
            const isAllowed = budget.withdraw();
            if (isWithin) assert.equal(isAllowed, true, 'what is within the share is allowed');
            if (isAllowed) extraAtMs.push(nowMs);
          }
          // What was allowed by the share of requests that have left the window since goes with them at the latest.
          const most = share * requestsAtMs.filter((atMs) => secondOf(atMs) > secondOf(nowMs) - 20).length + floor;
          assert.ok(inWindow(extraAtMs) <= most + 1e-6, `${inWindow(extraAtMs)} of at most ${most}`);
        }
      }),
      { numRuns: repetitions({ quick: 300, full: 10_000 }) },
    );
  });
});
