import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { repetitions } from '../support/counts.ts';
import type { Script } from '../support/simulated-replica.ts';
import { type Call, Simulation } from '../support/simulation.ts';

const ms = (max: number): fc.Arbitrary<number> => fc.integer({ min: 0, max });
const bytes = fc.integer({ min: 0, max: 2000 }).map((size) => new Uint8Array(size));

const script: fc.Arbitrary<Script> = fc.oneof(
  { weight: 6, arbitrary: answering('complete') },
  { weight: 2, arbitrary: answering('broken') },
  { weight: 1, arbitrary: answering('hangs') },
  { weight: 2, arbitrary: fc.record({ refusesAfterMs: ms(20) }) },
  { weight: 1, arbitrary: fc.constant({ headAfterMs: Number.POSITIVE_INFINITY }) },
);

function answering(ends: 'complete' | 'broken' | 'hangs'): fc.Arbitrary<Script> {
  return fc.record({
    headAfterMs: ms(200),
    status: fc.constantFrom(200, 200, 200, 400, 401, 404, 429, 500, 503),
    pieces: fc.array(fc.record({ afterMs: ms(50), bytes }), { maxLength: 4 }),
    ends: fc.constant(ends),
  });
}

const call: fc.Arbitrary<Call & { atMs: number }> = fc.record(
  {
    atMs: ms(400),
    uploadMs: ms(30),
    leavesAfterMs: ms(400),
    readMs: ms(40),
    body: bytes,
  },
  { requiredKeys: ['atMs'] },
);

const history = fc.record({
  seed: fc.nat(),
  policy: fc.constantFrom('round-robin' as const, 'random' as const, 'least-outstanding' as const, 'p2c' as const),
  slots: fc.array(fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }), { minLength: 1, maxLength: 4 }),
  scripts: fc.array(script, { minLength: 1, maxLength: 12, size: 'max' }),
  queueMax: fc.integer({ min: 0, max: 6 }),
  waitMs: ms(300),
  calls: fc.array(call, { minLength: 1, maxLength: 25, size: 'max' }),
  standings: fc.array(
    fc.record({
      atMs: ms(500),
      replica: fc.nat(3),
      standing: fc.constantFrom('ready' as const, 'unready' as const, 'starting' as const),
    }),
    {
      maxLength: 6,
    },
  ),
});

type History = typeof history extends fc.Arbitrary<infer T> ? T : never;

async function play({
  seed,
  policy,
  slots,
  scripts,
  queueMax,
  waitMs,
  calls,
  standings,
}: History): Promise<Simulation> {
  const simulation = new Simulation({
    seed,
    limits: { maxBodyBytes: 1500, maxBufferedBytes: 20_000 },
    backends: [
      {
        name: 'digits',
        policy,
        replicas: slots.map((one, at) => ({
          id: `r${at}`,
          ...(one === undefined ? {} : { slots: one }),
          script: (n: number) => scripts[(n * 7 + at) % scripts.length] ?? {},
        })),
        queue: { maxLength: queueMax, waitMs },
        timeouts: { firstByteMs: 400, idleMs: 300, totalMs: 2000 },
      },
    ],
  });
  const replicas = simulation.backends[0]?.replicas ?? [];
  for (const { atMs, replica, standing } of standings) {
    simulation.clock.after(atMs, () =>
      replicas[replica % replicas.length]?.state.setStanding(standing, 'by the history'),
    );
  }
  const answers: Promise<unknown>[] = [];
  for (const { atMs, ...one } of calls) simulation.clock.after(atMs, () => answers.push(simulation.call(one)));
  await simulation.clock.runAll();
  assert.equal((await Promise.all(answers)).length, calls.length, 'every call ended');
  return simulation;
}

describe('whatever clients, replicas and time do', () => {
  it('every lease is released once, every exchange accounted once, and nothing is left behind', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (one) => {
        const simulation = await play(one);
        assert.deepEqual(simulation.leftovers(), []);
        assert.equal(simulation.settled.length, one.calls.length, 'every exchange is accounted once');
        assert.equal(new Set(simulation.settled).size, one.calls.length);
        const sent = [...simulation.replicas.values()].flatMap((replica) => replica.seen);
        assert.equal(simulation.tried.length, sent.length, 'every try has one outcome');
        assert.ok(
          simulation.settled.every(({ journal }) => journal.tries <= 3),
          'three tries at the most',
        );
      }),
      { numRuns: repetitions({ quick: 300, full: 10_000 }) },
    );
  });

  it('a client that leaves aborts what runs for it, at that moment, and a replica that has ended is never aborted', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (one) => {
        const simulation = await play(one);
        for (const replica of simulation.replicas.values()) {
          for (const { abortedAtMs, endedAtMs } of replica.seen) {
            assert.ok(endedAtMs !== null || abortedAtMs !== null, 'no replica is left working for nobody');
            if (abortedAtMs !== null) assert.equal(endedAtMs, abortedAtMs);
          }
        }
      }),
      { numRuns: repetitions({ quick: 100, full: 3000 }) },
    );
  });
});
