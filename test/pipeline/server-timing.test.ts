import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Journal } from '../../gateway/pipeline/journal.ts';
import { serverTiming } from '../../gateway/pipeline/server-timing.ts';
import { newExchange } from '../support/exchanges.ts';

/** What is told of an exchange that was received at 0. */
function told(facts: Partial<Journal>, nowMs: number): string {
  const exchange = newExchange();
  Object.assign(exchange.journal, facts);
  return serverTiming(exchange, nowMs);
}

test('an answer tells its time in the line, at the replica and in all, to a tenth of a millisecond', () => {
  const facts = { tries: 1, queueWaitMs: 0.44, sentAtMs: 1, headAtMs: 13.06, firstByteAtMs: 13.06 };
  assert.equal(told(facts, 13.55), 'queue;dur=0.4, upstream;dur=12.1, total;dur=13.6');
});

test('what found no replica tells how long it waited, and nothing of a replica', () => {
  assert.equal(told({ queueWaitMs: 1000 }, 1001), 'queue;dur=1000, total;dur=1001');
});

test('a replica that sends its head ahead of its answer is at work until that begins', () => {
  const facts = { tries: 1, sentAtMs: 1, headAtMs: 2, firstByteAtMs: 502 };
  assert.equal(told(facts, 502), 'queue;dur=0, upstream;dur=501, total;dur=502');
});

test('a last try without an answer was upstream until now, whatever an earlier one answered', () => {
  assert.equal(told({ tries: 1, sentAtMs: 1 }, 101), 'queue;dur=0, upstream;dur=100, total;dur=101');
  const failed = { tries: 2, headAtMs: 20, sentAtMs: 50 };
  assert.equal(told(failed, 60), 'queue;dur=0, upstream;dur=10, total;dur=60');
});
