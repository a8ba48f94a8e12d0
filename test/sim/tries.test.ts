import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Script } from '../support/simulated-replica.ts';
import { type Answer, type Call, type SimulatedBackend, Simulation } from '../support/simulation.ts';

const never = Number.POSITIVE_INFINITY;
const ok: Script = { headAfterMs: 5 };
const fails: Script = { headAfterMs: 5, status: 500 };
const hangs: Script = { headAfterMs: never };

interface Played {
  readonly answers: readonly Answer[];
  readonly simulation: Simulation;
  /** The kinds of all tries, in order of their ends. */
  readonly kinds: readonly string[];
}

/** Sends some requests to replicas a, b and so on, one at a time unless `together`, and demands that nothing is left behind. */
async function play(
  scripts: readonly Script[],
  more: Partial<SimulatedBackend> & { calls?: readonly Call[]; fallback?: Script } = {},
): Promise<Played> {
  const { calls = [{}], fallback, ...spec } = more;
  const replicas = scripts.map((script, at) => ({ id: 'abcd'[at] ?? '', script: () => script }));
  const other = { name: 'other', replicas: [{ id: 'z', script: () => fallback ?? ok }] };
  const simulation = new Simulation({
    seed: 9,
    backends: [{ name: 'pool', policy: 'round-robin', replicas, ...spec }, ...(fallback === undefined ? [] : [other])],
    routes: [
      {
        model: 'pool',
        tenant: null,
        path: null,
        headers: {},
        cache: null,
        isCoalescing: false,
        fallbacks: fallback === undefined ? [] : ['other'],
        mirror: null,
        deadlineMs: null,
        destinations: [{ backend: 'pool', weight: 1 }],
      },
    ],
  });
  const answers: Answer[] = [];
  for (const call of calls) {
    const answering = simulation.call({ model: 'pool', ...call });
    await simulation.clock.runUntil(simulation.clock.nowMs() + 1_000);
    answers.push(await answering);
  }
  await simulation.clock.runAll();
  assert.deepEqual(simulation.leftovers(), []);
  return { answers, simulation, kinds: simulation.tried.map(({ kind }) => kind) };
}

const statuses = ({ answers }: Played): number[] => answers.map(({ status }) => status);

describe('retries', () => {
  it('go to other replicas, each once, and no more of them than are allowed', async () => {
    const four = await play([fails, fails, fails, fails]);
    assert.deepEqual([statuses(four), four.kinds], [[500], ['first', 'retry', 'retry']]);
    const seen = [...four.simulation.replicas.values()].map((one) => one.seen.length);
    assert.deepEqual(seen.toSorted(), [0, 1, 1, 1]);
    const two = await play([fails, fails]);
    assert.deepEqual(two.kinds, ['first', 'retry']);
  });

  it('are not made of what may have run and must not run again, on a fallback neither', async () => {
    const played = await play([fails, ok], { retry: { isIdempotent: false }, fallback: ok });
    assert.deepEqual([statuses(played), played.kinds], [[500], ['first']]);
    const unsent = await play([{ refusesAfterMs: 1 }, ok], { retry: { isIdempotent: false } });
    assert.deepEqual([statuses(unsent), unsent.kinds], [[200], ['first', 'retry']]);
  });

  it('are as many as the budget allows, and the client is told when it is spent', async () => {
    const calls = Array.from({ length: 20 }, () => ({}));
    const spec = {
      retry: { budgetShare: 0.1, floorPerSecond: 0 },
      breaker: { consecutiveFailures: 100, minRequests: 100 },
    };
    const { answers, kinds } = await play([fails, fails], { calls, ...spec });
    assert.ok(kinds.filter((kind) => kind === 'retry').length <= 2, kinds.join(' '));
    assert.ok(answers.some(({ exchange }) => exchange.journal.isBudgetSpent));
  });

  it('end with a client that leaves in the pause before one', async () => {
    const pauses = { retry: { budgetShare: 1 } };
    for (let leavesAfterMs = 5.5; leavesAfterMs < 30; leavesAfterMs += 4) {
      const { answers } = await play([fails, ok], { calls: [{ leavesAfterMs }], ...pauses });
      const [answer] = answers;
      const { endedAtMs } = answer?.exchange.journal ?? assert.fail();
      assert.ok(endedAtMs <= leavesAfterMs || answer?.status === 200, `${endedAtMs}`);
    }
  });
});

describe('fallbacks', () => {
  it('serve what broke on every replica of the backend before', async () => {
    const played = await play([fails], { fallback: ok });
    assert.deepEqual([statuses(played), played.kinds], [[200], ['first', 'first']]);
  });
});

describe('hedges', () => {
  const hedge = { after: { kind: 'delay', delayMs: 100 } as const, budgetShare: 1 };
  const slow: Script = { headAfterMs: 500 };

  it('are answered by whoever is first, and the other try is aborted and blames nobody', async () => {
    const played = await play([slow, { headAfterMs: 50 }], { hedge });
    const [answer] = played.answers;
    assert.deepEqual([answer?.status, answer?.exchange.journal.replica], [200, 'pool/b']);
    const [aborted] = played.simulation.replicaOf('pool/a').seen;
    assert.equal(aborted?.abortedAtMs, answer?.exchange.journal.endedAtMs);
    assert.deepEqual(played.simulation.tried.map(({ kind, outcome }) => `${kind} ${outcome}`).toSorted(), [
      'first abandoned',
      'hedge succeeded',
    ]);
  });

  it('never go to the same replica', async () => {
    const { kinds } = await play([slow], { hedge });
    assert.deepEqual(kinds, ['first']);
  });

  it('are not made of what must not run twice, nor for class batch, nor beyond their budget', async () => {
    const notTwice = await play([slow, slow], { hedge, retry: { isIdempotent: false } });
    assert.deepEqual(notTwice.kinds, ['first']);
    const batch = await play([slow, slow], { hedge, calls: [{ headers: { 'x-headgate-class': 'batch' } }] });
    assert.deepEqual(batch.kinds, ['first']);
    const calls = Array.from({ length: 20 }, () => ({}));
    const poor = await play([slow, slow], { hedge: { ...hedge, budgetShare: 0.1 }, calls });
    assert.ok(poor.kinds.filter((kind) => kind === 'hedge').length <= 2, poor.kinds.join(' '));
  });

  it('end with the client that leaves, both of them', async () => {
    const { simulation } = await play([hangs, hangs], { hedge, calls: [{ leavesAfterMs: 300 }] });
    for (const { seen } of simulation.replicas.values()) assert.equal(seen[0]?.abortedAtMs, 300);
  });

  it('wait for the other try where one fails, and are tried again where both do', async () => {
    const one = await play([{ ...fails, headAfterMs: 200 }, { headAfterMs: 300 }], { hedge });
    assert.deepEqual([statuses(one), one.kinds], [[200], ['first', 'hedge']]);
    const both = await play([{ ...fails, headAfterMs: 200 }, { ...fails, headAfterMs: 300 }, ok], { hedge });
    assert.deepEqual([statuses(both), both.kinds], [[200], ['first', 'hedge', 'retry']]);
  });
});
