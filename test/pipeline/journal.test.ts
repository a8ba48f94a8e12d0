import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Journal } from '../../gateway/pipeline/journal.ts';

/** Work that waited from 100 to 150, was sent then, and began to answer at 200; unless said otherwise. */
function work(more: Partial<Journal> = {}): Journal {
  const facts = { backend: 'pool', replica: 'pool/a', upstreamModel: 'm', tries: 2, isBudgetSpent: true };
  const instants = { queueWaitMs: 50, sentAtMs: 150, headAtMs: 200 };
  return Object.assign(new Journal(), facts, instants, { inputTokens: 3, outputTokens: 4 }, more);
}

/** What is learned at `nowMs` of the times of some work by who has had a part in it since `sinceMs`. */
function times(of: Journal, sinceMs: number, nowMs = 1000): readonly number[] {
  const journal = new Journal();
  journal.learn(of, sinceMs, nowMs, true);
  return [journal.queueWaitMs, journal.sentAtMs, journal.headAtMs];
}

it('whoever joins work that was begun for another is collapsed with it, where it is no hit', () => {
  const missed = { kind: 'forwarded', why: 'miss', isStored: true } as const;
  const hit = { kind: 'hit', store: 'redis', freshUntilMs: 5, isStale: false } as const;
  const learned = (cache: Journal['cache'], isItsOwn: boolean): unknown => {
    const journal = new Journal();
    journal.learn(work({ cache }), 100, 1000, isItsOwn);
    return journal.cache;
  };
  assert.deepEqual(learned(missed, true), missed);
  assert.deepEqual(learned(missed, false), { kind: 'forwarded', why: 'miss', isCollapsed: true });
  assert.deepEqual(learned(hit, false), hit);
});

describe('what is learned of work that is shared', () => {
  it('is all there is to know of it', () => {
    const journal = new Journal();
    const from = work();
    journal.learn(from, 100, 1000, true);
    assert.deepEqual(journal, from);
  });

  it('is as much of its time as was waited for', () => {
    assert.deepEqual(times(work(), 120), [30, 150, 200]);
    assert.deepEqual(times(work(), 180), [0, 180, 200]);
    assert.deepEqual(times(work(), 300), [0, 300, 300]);
  });

  it('is how long it has waited until now, where it still does', () => {
    const waits = { queueWaitMs: 0, sentAtMs: 0, headAtMs: 0, waitingSinceMs: 100 };
    assert.deepEqual(times(work(waits), 50, 400), [300, 0, 0]);
    assert.deepEqual(times(work(waits), 350, 400), [50, 0, 0]);
    const waitsAgain = { queueWaitMs: 50, headAtMs: 0, waitingSinceMs: 300 };
    assert.deepEqual(times(work(waitsAgain), 100, 400), [150, 150, 0]);
  });
});
