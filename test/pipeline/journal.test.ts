import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Journal } from '../../gateway/pipeline/journal.ts';

<<<<<<< HEAD

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
=======
import type { CacheOutcome } from '../../gateway/pipeline/sharing.ts';

/** What the work of a flight has written down: it waited from 10 to 50, and its head came at 90. */
function worked(more: Partial<Journal> = {}): Journal {
  return Object.assign(new Journal(), {
    backend: 'cloud',
    replica: 'cloud/a',
    upstreamModel: 'm-8bit',
    tries: 2,
    isBudgetSpent: true,
    queueWaitMs: 40,
    sentAtMs: 50,
    headAtMs: 90,
    inputTokens: 3,
    outputTokens: 4,
    cache: { kind: 'forwarded', why: 'miss', isStored: true },
    ...more,
  });
}

/** What is learned of it by who had a part in it from an instant on. */
function learned(sinceMs: number, work = worked(), isItsOwn = false): Journal {
  const journal = Object.assign(new Journal(), { model: 'm', route: 'routes[0]', bytesIn: 7, readAtMs: sinceMs });
  journal.learn(work, sinceMs, isItsOwn);
  return journal;
}

describe('what an exchange learns of work that it shares', () => {
  it('is where that was done, with how many tries and tokens', () => {
    assert.partialDeepStrictEqual(learned(10), {
      backend: 'cloud',
      replica: 'cloud/a',
      upstreamModel: 'm-8bit',
      tries: 2,
      isBudgetSpent: true,
      inputTokens: 3,
      outputTokens: 4,
    });
  });

  it('leaves what it knows of itself', () => {
    assert.partialDeepStrictEqual(learned(10), { model: 'm', route: 'routes[0]', bytesIn: 7, readAtMs: 10 });
  });

  it('is no more waiting than there was since it came', () => {
    const times = (sinceMs: number) => {
      const { queueWaitMs, sentAtMs, headAtMs } = learned(sinceMs);
      return [queueWaitMs, sentAtMs, headAtMs];
    };
    assert.deepEqual(times(10), [40, 50, 90]);
    assert.deepEqual(times(30), [20, 50, 90]);
    assert.deepEqual(times(70), [0, 70, 90]);
    assert.deepEqual(times(100), [0, 100, 100]);
  });

  it('is nothing of what has not happened', () => {
    const { queueWaitMs, sentAtMs, headAtMs } = learned(30, worked({ sentAtMs: 0, headAtMs: 0, queueWaitMs: 0 }));
    assert.deepEqual([queueWaitMs, sentAtMs, headAtMs], [0, 0, 0]);
  });

  it('is that it was a part of it, unless that was begun for it or gave what was kept', () => {
    const hit: CacheOutcome = { kind: 'hit', store: 'redis', freshUntilMs: 1, isStale: false };
    const stored: CacheOutcome = { kind: 'forwarded', why: 'miss', isStored: true };
    const collapsed: CacheOutcome = { kind: 'forwarded', why: 'miss', isCollapsed: true };
    assert.deepEqual(learned(10).cache, collapsed);
    assert.deepEqual(learned(10, worked(), true).cache, stored);
    assert.deepEqual(learned(10, worked({ cache: hit })).cache, hit);
    assert.deepEqual(learned(10, worked({ cache: hit }), true).cache, hit);
    assert.equal(learned(10, worked({ cache: null })).cache, null);
>>>>>>> p6docs
  });
});
