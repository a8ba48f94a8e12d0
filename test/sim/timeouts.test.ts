import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TryTimeouts } from '../../gateway/balance/backend.ts';
import type { Script } from '../support/simulated-replica.ts';
import { type Answer, type Call, Simulation } from '../support/simulation.ts';

const never = Number.POSITIVE_INFINITY;
const piece = (afterMs: number): { afterMs: number; bytes: Uint8Array } => ({ afterMs, bytes: Buffer.from('x') });
/** The wheel's tick: alarms ring up to this much late and never early. */
const tickMs = 10;

async function callOnce(
  script: Script,
  timeouts: Partial<TryTimeouts>,
  call: Call = {},
): Promise<{ answer: Answer; tookMs: number; abortedAtMs: number | null }> {
  const simulation = new Simulation({
    seed: 1,
    backends: [{ name: 'digits', replicas: [{ id: 'a', script: () => script }], timeouts }],
  });
  const promise = simulation.call(call);
  await simulation.clock.runAll();
  const answer = await promise;
  assert.deepEqual(simulation.leftovers(), []);
  const { journal, receivedAtMs } = answer.exchange;
  return {
    answer,
    tookMs: journal.endedAtMs - receivedAtMs,
    abortedAtMs: simulation.replicaOf('digits/a').seen[0]?.abortedAtMs ?? null,
  };
}

function assertEndsAt(tookMs: number, dueMs: number): void {
  assert.ok(tookMs >= dueMs && tookMs <= dueMs + tickMs, `${tookMs} ms, wanted ${dueMs} to ${dueMs + tickMs}`);
}

describe('the timeouts of a try', () => {
  it('end it when no head comes within first_byte', async () => {
    const { answer, tookMs, abortedAtMs } = await callOnce({ headAfterMs: never }, { firstByteMs: 500 });
    assert.equal(answer.error?.code, 'upstream_timeout');
    assertEndsAt(tookMs, 500);
    assert.equal(abortedAtMs, tookMs);
  });

  it('count an early head without a body as no first byte', async () => {
    const { answer, tookMs } = await callOnce({ headAfterMs: 5, ends: 'hangs' }, { firstByteMs: 500, idleMs: 100 });
    assert.equal(answer.end, 'broken');
    assertEndsAt(tookMs, 500);
  });

  it('end it when the answer stops for longer than idle', async () => {
    const pieces = [piece(50), piece(90), piece(90), piece(never)];
    const { answer, tookMs } = await callOnce({ headAfterMs: 5, pieces, ends: 'hangs' }, { idleMs: 100 });
    assert.equal(answer.end, 'broken');
    assert.equal(answer.body.length, 3);
    assertEndsAt(tookMs, 5 + 50 + 90 + 90 + 100);
  });

  it('let an answer live that goes on for an hour', async () => {
    const pieces = Array.from({ length: 240 }, () => piece(15_000));
    const { answer } = await callOnce({ pieces }, { idleMs: 20_000, totalMs: never });
    assert.equal(answer.end, 'complete');
    assert.equal(answer.body.length, 240);
  });

  it('end it at total, however lively it is', async () => {
    const pieces = Array.from({ length: 100 }, () => piece(50));
    const { answer, tookMs } = await callOnce({ pieces }, { totalMs: 1000 });
    assert.equal(answer.end, 'broken');
    assertEndsAt(tookMs, 1000);
  });

  it('do not blame the replica for a client that reads slowly', async () => {
    const pieces = Array.from({ length: 5 }, () => piece(10));
    const { answer, tookMs } = await callOnce({ pieces }, { idleMs: 100 }, { readMs: 400 });
    assert.equal(answer.end, 'complete');
    assert.ok(tookMs >= 4 * 400);
  });
});

describe('the deadline of a request', () => {
  const waiting = { headers: { 'x-request-timeout-ms': '300' } };

  it('holds to the millisecond for answers, though alarms ring by the tick', async () => {
    for (const [deadlineMs, headAfterMs, code] of [
      [5, 6, 'deadline_exceeded'],
      [5, 4, 'ok'],
    ] as const) {
      const route = {
        model: 'digits',
        tenant: null,
        path: null,
        headers: {},
        cache: null,
        isCoalescing: false,
        fallbacks: [],
        mirror: null,
        deadlineMs,
      };
      const simulation = new Simulation({
        seed: 1,
        backends: [{ name: 'digits', replicas: [{ id: 'a', script: () => ({ headAfterMs }) }] }],
        routes: [{ ...route, destinations: [{ backend: 'digits', weight: 1 }] }],
      });
      const answering = simulation.call();
      await simulation.clock.runAll();
      assert.equal((await answering).exchange.journal.code, code);
      assert.deepEqual(simulation.leftovers(), []);
    }
  });

  it('ends a wait, a silent replica and a stalled body alike, and is told upstream', async () => {
    const scripts: readonly Script[] = [{ headAfterMs: never }, { headAfterMs: 1, pieces: [piece(1)], ends: 'hangs' }];
    for (const script of scripts) {
      const simulation = new Simulation({
        seed: 1,
        backends: [{ name: 'digits', replicas: [{ id: 'a', slots: 1, script: () => script }] }],
        routes: [
          {
            model: 'digits',
            tenant: null,
            path: null,
            headers: {},
            cache: null,
            isCoalescing: false,
            fallbacks: [],
            mirror: null,
            destinations: [{ backend: 'digits', weight: 1 }],
            deadlineMs: 300,
          },
        ],
      });
      const calls = [simulation.call(waiting), simulation.call(waiting), simulation.call(waiting)];
      await simulation.clock.runAll();
      for (const { exchange } of await Promise.all(calls)) {
        assert.equal(exchange.journal.code, 'deadline_exceeded');
        assertEndsAt(exchange.journal.endedAtMs, 300);
      }
      assert.deepEqual(simulation.leftovers(), []);
      const seen = simulation.replicaOf('digits/a').seen;
      assert.equal(seen.length, 2, 'the third waited in vain');
      const headers = seen[0]?.headers ?? [];
      assert.equal(headers[headers.indexOf('x-request-timeout-ms') + 1], '300');
      assert.deepEqual(
        [...new Set(simulation.tried.map((fact) => fact.outcome))],
        ['abandoned'],
        'no replica is blamed for it',
      );
    }
  });
});
