import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { repetitions } from '../support/counts.ts';
import { type Called, errorEvent, type History, history, type Played, play, sentFor } from './histories.ts';

const tickMs = 10;

/** All that must hold of one call, `at`-th in time. */
function assertCall(played: Played, one: History, { call, answer }: Called, at: number): void {
  const { exchange, end, error } = answer;
  const { journal, receivedAtMs, deadlineMs } = exchange;
  const { maxTries, isIdempotent, hedgeAfterMs } = one.dealing;
  const byBackend = ['digits', 'fallback'].map((name) => sentFor(played, name, at));
  const sent = byBackend.flat();
  assert.equal(journal.tries, sent.length, 'every try is one request');
  for (const tries of byBackend)
    assert.ok(tries.length <= maxTries + (hedgeAfterMs === null ? 0 : 1), `${tries.length} of ${maxTries} tries`);
  if (!isIdempotent) {
    const mayHaveRun = sent.filter(({ hasArrived }) => hasArrived);
    assert.ok(mayHaveRun.length <= 1, 'what may have run is sent once');
    assert.ok(
      mayHaveRun.every(
        (seen) => seen === sent.at(-1) || seen.startedAtMs >= Math.max(...sent.map((other) => other.startedAtMs)),
      ),
    );
  }
  if (journal.firstByteAtMs > 0)
    assert.ok(
      sent.every(({ startedAtMs }) => startedAtMs <= journal.firstByteAtMs),
      'no try begins after the first byte has been passed on',
    );
  const hasBegun = end !== 'refused';
  // A stream of events meets its deadline with its first byte.
  const endsByMs = answer.body.includes(errorEvent) ? Number.POSITIVE_INFINITY : deadlineMs + tickMs;
  if (call.deadlineMs !== undefined && !hasBegun)
    assert.ok(
      journal.endedAtMs <= deadlineMs + Math.max(tickMs, call.uploadMs ?? 0),
      'refused at the deadline, to one tick',
    );
  for (const { startedAtMs, endedAtMs, hasArrived } of sent) {
    assert.ok(startedAtMs < deadlineMs, 'nothing is sent after the deadline');
    assert.ok(!hasArrived || (endedAtMs !== null && endedAtMs <= endsByMs), 'nothing runs on after the deadline');
  }
  if (error?.code === 'client_left') {
    const leftAtMs = receivedAtMs + (call.leavesAfterMs ?? 0);
    assert.ok(
      sent.every(({ hasArrived, endedAtMs }) => !hasArrived || (endedAtMs !== null && endedAtMs <= leftAtMs)),
      'who leaves ends what runs',
    );
  }
}

describe('whatever clients, replicas, operators and time do', () => {
  it('every lease is released once, every exchange accounted once, and nothing is left behind', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (one) => {
        const { simulation } = await play(one);
        assert.deepEqual(simulation.leftovers(), []);
        assert.equal(simulation.settled.length, one.calls.length, 'every exchange is accounted once');
        assert.equal(new Set(simulation.settled).size, one.calls.length);
        const sent = [...simulation.replicas.values()].flatMap((replica) => replica.seen);
        assert.equal(simulation.tried.length, sent.length, 'every try has one outcome');
        for (const { abortedAtMs, endedAtMs } of sent) {
          assert.ok(endedAtMs !== null, 'no replica is left working for nobody');
          if (abortedAtMs !== null) assert.equal(endedAtMs, abortedAtMs, 'one that has ended is never aborted');
        }
      }),
      { numRuns: repetitions({ quick: 300, full: 10_000 }) },
    );
  });

  it('a call is tried as often as it may be, not after its first byte, its deadline or its client’s leaving', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (one) => {
        const played = await play(one);
        for (const [at, called] of played.called.entries()) assertCall(played, one, called, at);
      }),
      { numRuns: repetitions({ quick: 300, full: 10_000 }) },
    );
  });

  it('clients that leave blame nobody, however many do', async () => {
    const leaving = history.map((one) => ({
      ...one,
      scripts: [{ headAfterMs: Number.POSITIVE_INFINITY }],
      doings: [],
      calls: one.calls.map((each) => ({ ...each, leavesAfterMs: Math.min(each.leavesAfterMs ?? 300, 390) })),
    }));
    await fc.assert(
      fc.asyncProperty(leaving, async (one) => {
        const { simulation } = await play({ ...one, hasMirror: false });
        for (const { outcome } of simulation.tried) assert.equal(outcome, 'abandoned');
        for (const { state } of simulation.backends.flatMap(({ replicas }) => replicas))
          assert.equal(state.gate.state, 'passing');
      }),
      { numRuns: repetitions({ quick: 100, full: 3000 }) },
    );
  });
});
