import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Journal } from '../../gateway/pipeline/journal.ts';
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
  });
});
