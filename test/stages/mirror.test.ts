import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BufferRoom } from '../../gateway/pipeline/buffer-room.ts';
import { Copies } from '../../gateway/stages/mirror.ts';
import type { Script } from '../support/simulated-replica.ts';
import { type Answer, type SimulatedBackend, Simulation } from '../support/simulation.ts';

const whole: Script = { headAfterMs: 10, pieces: [{ afterMs: 0, bytes: Buffer.from('{}') }] };

/** Requests for `digits`, of which copies go to `candidate`. */
function mirrored(
  copy: Script,
  { share = 1, ...more }: Partial<SimulatedBackend> & { share?: number } = {},
): Simulation {
  return new Simulation({
    seed: 7,
    backends: [
      { name: 'digits', replicas: [{ id: 'a', script: () => whole }] },
      { name: 'candidate', replicas: [{ id: 'c', script: () => copy }], ...more },
    ],
    routes: [
      {
        model: null,
        tenant: null,
        path: null,
        headers: {},
        cache: null,
        isCoalescing: false,
        destinations: [{ backend: 'digits', weight: 1 }],
        fallbacks: [],
        mirror: { backend: 'candidate', share },
        deadlineMs: null,
      },
    ],
  });
}

async function finished(simulation: Simulation, calls: readonly Promise<Answer>[]): Promise<Answer[]> {
  await simulation.clock.runAll();
  assert.deepEqual(simulation.leftovers(), []);
  return Promise.all(calls);
}

describe('a mirror', () => {
  it('gets a copy, which is told of as one, and counts neither for the client nor among the exchanges', async () => {
    const simulation = mirrored(whole, { upstreamModel: 'candidate-q8' });
    const [answer] = await finished(simulation, [simulation.call()]);
    const { journal } = answer?.exchange ?? assert.fail();
    assert.deepEqual([answer?.status, journal.replica, journal.tries], [200, 'digits/a', 1]);
    assert.deepEqual(simulation.replicaOf('candidate/c').seen.length, 1);
    assert.deepEqual(
      simulation.tried.map(({ backendName, kind, outcome }) => `${backendName} ${kind} ${outcome}`).toSorted(),
      ['candidate mirror succeeded', 'digits first succeeded'],
    );
    assert.equal(simulation.settled.length, 1);
  });

  it('is never felt by the client, whatever becomes of the copy', async () => {
    const fates: readonly Script[] = [
      { refusesAfterMs: 1 },
      { headAfterMs: 5, status: 500 },
      { headAfterMs: 5, status: 401 },
      { headAfterMs: 5, status: 429 },
      { headAfterMs: 5, ends: 'broken' },
      { headAfterMs: 5, ends: 'hangs' },
      { headAfterMs: Number.POSITIVE_INFINITY },
    ];
    for (const fate of fates) {
      const simulation = mirrored(fate, { timeouts: { firstByteMs: 500, idleMs: 500 } });
      const [answer] = await finished(simulation, [simulation.call()]);
      assert.deepEqual([answer?.status, answer?.end, answer?.exchange.journal.endedAtMs], [200, 'complete', 10]);
      assert.deepEqual(
        simulation.tried.map(({ kind }) => kind).toSorted(),
        ['first', 'mirror'],
        'nor is a copy tried again',
      );
    }
  });

  it('gets its copy to the end though the client leaves', async () => {
    const simulation = mirrored({ ...whole, headAfterMs: 200 });
    await finished(simulation, [simulation.call({ leavesAfterMs: 5 })]);
    const [copy] = simulation.replicaOf('candidate/c').seen;
    assert.deepEqual([copy?.abortedAtMs, copy?.endedAtMs], [null, 200]);
  });

  it('keeps nobody waiting: what has no replica at once is left out', async () => {
    const simulation = mirrored(
      { ...whole, headAfterMs: 1000 },
      { replicas: [{ id: 'c', slots: 1, script: () => whole }] },
    );
    const answers = await finished(
      simulation,
      Array.from({ length: 5 }, () => simulation.call()),
    );
    assert.ok(answers.every(({ exchange }) => exchange.journal.endedAtMs === 10));
    assert.equal(simulation.replicaOf('candidate/c').seen.length, 2);
  });

  it('has 64 copies under way at the most, each of which holds a request', async () => {
    const simulation = mirrored({ ...whole, headAfterMs: 1000 });
    const calls = Array.from({ length: 100 }, () => simulation.call());
    await simulation.clock.runUntil(500);
    assert.equal(simulation.replicaOf('candidate/c').running, 64);
    await simulation.clock.runUntil(2000);
    calls.push(simulation.call());
    await finished(simulation, calls);
    assert.equal(simulation.replicaOf('candidate/c').seen.length, 65);
  });

  it('gets its share of the requests', async () => {
    const simulation = mirrored(whole, { share: 0.1 });
    const calls: Promise<Answer>[] = [];
    for (let n = 0; n < 2000; n++) {
      calls.push(simulation.call());
      await simulation.clock.runUntil(simulation.clock.nowMs() + 20);
    }
    await finished(simulation, calls);
    const { length } = simulation.replicaOf('candidate/c').seen;
    // Five standard deviations of a binomial draw.
    assert.ok(length > 200 - 67 && length < 200 + 67, `${length} of 2000`);
  });

  it('says of its own replicas what the copies came to', async () => {
    const simulation = mirrored(
      { headAfterMs: 5, status: 500 },
      {
        replicas: ['c', 'd'].map((id) => ({ id, script: () => ({ headAfterMs: 5, status: 500 }) })),
      },
    );
    const calls: Promise<Answer>[] = [];
    for (let n = 0; n < 20; n++) {
      calls.push(simulation.call());
      await simulation.clock.runUntil(simulation.clock.nowMs() + 20);
    }
    const candidate = simulation.backends[1]?.replicas ?? [];
    assert.deepEqual(candidate.map(({ gate }) => gate.state).toSorted(), ['ejected', 'passing']);
    await finished(simulation, calls);
  });
});

describe('copies', () => {
  it('are held within the room that all requests have, and are 64 at the most, over everything that makes them', () => {
    const room = new BufferRoom(1000);
    const copies = new Copies(room);
    assert.ok(room.take(400));
    assert.equal(copies.begin(601), false);
    assert.ok(copies.begin(600));
    assert.equal(room.take(1), false, 'no room is left for requests');
    copies.end(600);
    assert.equal(room.heldBytes, 400);
    for (let n = 0; n < 64; n++) assert.ok(copies.begin(0));
    assert.equal(copies.begin(0), false);
    copies.end(0);
    assert.ok(copies.begin(0));
  });

  it('give back what they held, whatever became of them', async () => {
    for (const copy of [whole, { headAfterMs: 5, status: 500 }, { refusesAfterMs: 1 }]) {
      const simulation = mirrored(copy);
      await finished(simulation, [simulation.call(), simulation.call()]);
      assert.equal(simulation.room.heldBytes, 0);
    }
  });
});
