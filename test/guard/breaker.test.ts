import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Breaker, type Counts } from '../../gateway/guard/breaker.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { repetitions } from '../support/counts.ts';

const kinds = ['succeeded', 'clientErrors', 'failed'] as const;
const none: Counts = { succeeded: 0, clientErrors: 0, failed: 0 };

function newBreaker(windowMs: number) {
  const clock = new VirtualClock();
  return { clock, breaker: new Breaker({ windowMs, clock }) };
}

describe('a breaker', () => {
  it('opens and closes only when told to, whatever is counted and however much time passes', async () => {
    const { clock, breaker } = newBreaker(1000);
    for (let n = 0; n < 100; n++) breaker.count('failed');
    assert.equal(breaker.isOpen, false);
    breaker.open();
    breaker.count('succeeded');
    await clock.runUntil(1_000_000);
    assert.equal(breaker.isOpen, true);
    breaker.close();
    assert.equal(breaker.isOpen, false);
    breaker.shutdown();
  });

  it('begins with an empty window when it is closed', () => {
    const { breaker } = newBreaker(1000);
    for (const kind of kinds) breaker.count(kind);
    assert.deepEqual(breaker.counts(), { succeeded: 1, clientErrors: 1, failed: 1 });
    breaker.open();
    breaker.close();
    assert.deepEqual(breaker.counts(), none);
    breaker.shutdown();
  });

  it('sets no timer of the clock, and none of Node that keeps the process', () => {
    const { clock, breaker } = newBreaker(1000);
    const before = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    breaker.open();
    breaker.count('failed');
    assert.equal(clock.pending, 0);
    assert.equal(process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length, before);
    breaker.shutdown();
  });

  it('counts what a plain list would, cut to the last ten tenths of its window', async () => {
    const step = fc.record({
      afterMs: fc.oneof(fc.nat(20), fc.nat(600), fc.nat(12_000)),
      what: fc.constantFrom(...kinds, 'close' as const),
    });
    const history = fc.record({
      windowMs: fc.constantFrom(100, 1000, 5000),
      bornAtMs: fc.nat(999),
      steps: fc.array(step, { maxLength: 80, size: 'max' }),
    });
    await fc.assert(
      fc.asyncProperty(history, async ({ windowMs, bornAtMs, steps }) => {
        const clock = new VirtualClock();
        await clock.runUntil(bornAtMs);
        const breaker = new Breaker({ windowMs, clock });
        const bucketOf = (atMs: number): number => Math.floor((atMs - bornAtMs) / (windowMs / 10));
        let list: { readonly atMs: number; readonly kind: keyof Counts }[] = [];
        for (const { afterMs, what } of steps) {
          await clock.runUntil(clock.nowMs() + afterMs);
          if (what === 'close') {
            breaker.close();
            list = [];
          } else {
            breaker.count(what);
            list.push({ atMs: clock.nowMs(), kind: what });
          }
          const held = list.filter(({ atMs }) => bucketOf(atMs) > bucketOf(clock.nowMs()) - 10);
          const count = (kind: keyof Counts): number => held.filter((one) => one.kind === kind).length;
          assert.deepEqual(breaker.counts(), {
            succeeded: count('succeeded'),
            clientErrors: count('clientErrors'),
            failed: count('failed'),
          });
        }
        breaker.shutdown();
      }),
      { numRuns: repetitions({ quick: 300, full: 10_000 }) },
    );
  });
});
