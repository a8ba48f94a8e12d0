import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { retryAfterMs, withRetryAfter } from '../../gateway/upstream/retry-after.ts';

const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);
const clock = new VirtualClock(nowMs);

describe('how long a replica asks to be left alone', () => {
  it('is read in seconds', () => {
    for (const [told, ms] of [
      ['0', 0],
      ['3', 3000],
      [' 3 ', 3000],
      ['1.5', 1500],
      ['86400', 86_400_000],
    ] as const)
      assert.equal(retryAfterMs(['Retry-After', told], clock), ms, told);
  });

  it('is read as a date, and none has to be waited for that has passed', () => {
    assert.equal(retryAfterMs(['retry-after', 'Fri, 02 Jan 2026 03:04:15 GMT'], clock), 10_000);
    assert.equal(retryAfterMs(['retry-after', 'Fri, 02 Jan 2026 03:04:00 GMT'], clock), 0);
  });

  it('is read from the finer header of OpenAI first', () => {
    assert.equal(retryAfterMs(['retry-after', '3', 'retry-after-ms', '250'], clock), 250);
    assert.equal(retryAfterMs(['retry-after', '3', 'retry-after-ms', 'soon'], clock), 3000);
  });

  it('is not known where nothing is said, or nothing that can be read', () => {
    assert.equal(retryAfterMs([], clock), null);
    for (const told of ['', ' ', 'soon', '-5', '1s', '1, 2'])
      assert.equal(retryAfterMs(['retry-after', told], clock), null, JSON.stringify(told));
    for (const told of ['', ' ', 'soon', '-5', '1s'])
      assert.equal(retryAfterMs(['retry-after-ms', told], clock), null, JSON.stringify(told));
  });
});

describe('what a client is told of when to come again', () => {
  it('is what the replica says, where that can be read, and else how long the replica rests', () => {
    const readable = ['x-a', 'b', 'retry-after', '7'];
    assert.equal(withRetryAfter(readable, 1500, clock), readable);
    assert.deepEqual(withRetryAfter(['x-a', 'b'], 1500, clock), ['x-a', 'b', 'retry-after', '2']);
    for (const told of ['-5', 'abc', '', '1e9'])
      assert.deepEqual(withRetryAfter(['Retry-After', told, 'x-a', 'b'], 1500, clock), [
        'x-a',
        'b',
        'retry-after',
        '2',
      ]);
  });
});
