import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Script } from '../support/simulated-replica.ts';
import { type Call, type SimulatedBackend, Simulation } from '../support/simulation.ts';

const deadlineMs = 3_000;
const mostLateMs = 100;
const never = Number.POSITIVE_INFINITY;
const hangs: Script = { headAfterMs: never };
const patient = { connectMs: 60_000, firstByteMs: 60_000, idleMs: 60_000, totalMs: 60_000 };

interface Case {
  readonly backends: readonly Omit<SimulatedBackend, 'timeouts'>[];
  readonly fallbacks?: readonly string[];
  readonly call?: Call;
  /** Requests without a deadline that come before. */
  readonly before?: number;
  /** The tries that the request must have made, to have been where its deadline is to find it. */
  readonly kinds: readonly string[];
  readonly backend?: string;
  /** The deadline finds it in a line. */
  readonly isWaiting?: boolean;
}

const replica = (id: string, script: Script, slots?: number) => ({
  id,
  script: () => script,
  ...(slots === undefined ? {} : { slots }),
});
const pool = (...replicas: ReturnType<typeof replica>[]) => ({ name: 'pool', replicas });
const hedge = { after: { kind: 'delay', delayMs: 500 } as const, budgetShare: 1 };

const cases: Readonly<Record<string, Case>> = {
  'while it waits': { backends: [pool(replica('a', hangs, 1))], before: 2, kinds: [], isWaiting: true },
  'while it connects': { backends: [pool(replica('a', { refusesAfterMs: 50_000 }))], kinds: ['first'] },
  'before the first byte': { backends: [pool(replica('a', hangs))], kinds: ['first'] },
  'in a retry': {
    backends: [
      { ...pool(replica('a', { headAfterMs: 2_900, status: 500 }), replica('b', hangs)), policy: 'round-robin' },
    ],
    kinds: ['first', 'retry'],
  },
  'while it waits for a retry': {
    backends: [
      { ...pool(replica('a', { headAfterMs: 2_900, status: 500 }), replica('b', hangs, 1)), policy: 'round-robin' },
    ],
    before: 4,
    kinds: ['first'],
    isWaiting: true,
  },
  'in a hedge': { backends: [{ ...pool(replica('a', hangs), replica('b', hangs)), hedge }], kinds: ['first', 'hedge'] },
  'in a fallback': {
    backends: [
      pool(replica('a', { headAfterMs: 1_000, status: 500 })),
      { name: 'other', replicas: [replica('b', hangs)] },
    ],
    fallbacks: ['other'],
    kinds: ['first', 'first'],
    backend: 'other',
  },
  'while it waits on a fallback': {
    backends: [
      pool(replica('a', { headAfterMs: 1_000, status: 500 })),
      { name: 'other', replicas: [replica('b', hangs, 1)] },
    ],
    fallbacks: ['other'],
    before: 4,
    kinds: ['first'],
    backend: 'other',
    isWaiting: true,
  },
  'before a stream starts': {
    backends: [{ ...pool(replica('a', { headAfterMs: 10, ends: 'hangs' })), protocol: 'openai' }],
    call: { isStreaming: true },
    kinds: ['first'],
  },
  'before a stream starts whose first chunk is held': {
    backends: [
      { ...pool(replica('a', { headAfterMs: 10, ends: 'hangs' })), protocol: 'openai', holdsFirstChunk: true },
    ],
    call: { isStreaming: true },
    kinds: ['first'],
  },
};

describe('a deadline of three seconds', () => {
  for (const [claim, { backends, fallbacks = [], call = {}, kinds, ...more }] of Object.entries(cases)) {
    const { before = 0, backend = 'pool', isWaiting = false } = more;

    it(`ends a request ${claim}, a tenth of a second late at the most`, async () => {
      const simulation = new Simulation({
        seed: 5,
        backends: backends.map((one) => ({ ...one, timeouts: patient })),
        routes: [
          {
            model: 'pool',
            tenant: null,
            path: null,
            headers: {},
            cache: null,
            isCoalescing: false,
            fallbacks,
            mirror: null,
            deadlineMs: null,
            destinations: [{ backend: 'pool', weight: 1 }],
          },
        ],
      });
      const { clock } = simulation;
      const others = Array.from({ length: before }, () => simulation.call({ model: 'pool', leavesAfterMs: 20_000 }));
      await clock.runUntil(1_203);
      const answering = simulation.call({ ...call, model: 'pool', deadlineMs });
      await clock.runAll();
      await Promise.all(others);
      const { exchange } = await answering;
      const { journal, receivedAtMs } = exchange;
      const lateMs = journal.endedAtMs - receivedAtMs - deadlineMs;
      assert.equal(journal.code, 'deadline_exceeded');
      assert.ok(lateMs >= 0 && lateMs <= mostLateMs, `${lateMs} ms late`);
      assert.equal(journal.tries, kinds.length);
      assert.equal(journal.backend, backend);
      assert.equal(journal.queueWaitMs > 0, isWaiting);
      if (before === 0) assert.deepEqual(simulation.tried.map(({ kind }) => kind).toSorted(), [...kinds].toSorted());
      assert.deepEqual(simulation.leftovers(), []);
    });
  }
});
