import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Script } from '../support/simulated-replica.ts';
import { Simulation } from '../support/simulation.ts';

const failing: Script = { headAfterMs: 1, status: 500 };

/** Longer than a test looks at it. */
const busyMs = 300_000;

/** Two replicas of four slots; `a` does as its script says, `b` takes its time. */
function twoReplicas(seed: number, script: (requestNumber: number) => Script): Simulation {
  const replicas = [
    { id: 'a', slots: 4, script },
    { id: 'b', slots: 4, script: () => ({ headAfterMs: busyMs }) },
  ];
  return new Simulation({
    seed,
    backends: [
      {
        name: 'pool',
        replicas,
        retry: { maxTries: 1 },
        queue: { maxLength: 1000, waitMs: 60_000 },
        timeouts: { firstByteMs: 10_000_000, idleMs: 10_000_000, totalMs: 10_000_000 },
      },
    ],
  });
}

describe('a replica that returns from its ejection', () => {
  it('gets one of the 500 requests that wait, and no other until it has answered', async () => {
    const probeMs = 700;
    for (const seed of [1, 2, 3]) {
      let ejectedAfter = 0;
      const simulation = twoReplicas(seed, (n) => {
        if (n < 5) return failing;
        return { headAfterMs: n === ejectedAfter ? probeMs : 10 };
      });
      const { clock } = simulation;
      const [a] = simulation.backends[0]?.replicas ?? assert.fail();
      const answers: Promise<unknown>[] = [];
      while (a?.gate.state !== 'ejected') {
        answers.push(simulation.call());
        await clock.runUntil(clock.nowMs() + 5);
      }
      const replica = simulation.replicaOf('pool/a');
      ejectedAfter = replica.seen.length;
      for (let n = 0; n < 500; n++) answers.push(simulation.call());
      const untilMs = a.gate.story.untilMs ?? assert.fail();
      await clock.runUntil(untilMs - 1);
      const waiting = simulation.backends[0]?.dispatcher.waitingCount ?? 0;
      assert.ok(waiting >= 490, `${waiting} wait, seed ${seed}`);
      assert.equal(replica.seen.length, ejectedAfter, 'none reached it while it was ejected');
      await clock.runUntil(untilMs + probeMs - 5);
      assert.equal(a.gate.state, 'probing');
      assert.equal(replica.seen.length, ejectedAfter + 1, `exactly one reached it, seed ${seed}`);
      await clock.runUntil(untilMs + probeMs + 50);
      assert.equal(a.gate.state, 'passing');
      assert.ok(replica.seen.length > ejectedAfter + 4, 'then it gets as many as it has slots');
      await clock.runAll();
      assert.equal((await Promise.all(answers)).length, answers.length);
      assert.deepEqual(simulation.leftovers(), []);
    }
  });

  it('is asked again by two gateways at different times', async (context) => {
    const ejections = 20;
    const [first, second] = await Promise.all([probeTimes(11, ejections), probeTimes(12, ejections)]);
    const apartMs = first.map((afterMs, at) => Math.abs(afterMs - (second[at] ?? assert.fail())));
    // Either comes within 2.5 to 5 s: two instants drawn from that lie within 100 ms of each other 8 times in 100.
    const together = apartMs.filter((one) => one < 100).length;
    context.diagnostic(`ms between the probes of two gateways: ${apartMs.map(Math.round).join(' ')}`);
    assert.ok(together <= 5, `${together} of ${ejections} probes came within 100 ms of each other`);
    const spreadMs = Math.max(...first) - Math.min(...first);
    assert.ok(spreadMs > 1_000, `one gateway alone spreads its probes over ${spreadMs} ms`);
  });
});

/** How long after each of some ejections, which all begin alike, the replica gets its probe. */
async function probeTimes(seed: number, ejections: number): Promise<number[]> {
  const simulation = twoReplicas(seed, () => failing);
  const { clock } = simulation;
  const [a, b] = simulation.backends[0]?.replicas ?? assert.fail();
  for (let n = 0; n < 20 && b?.hasCredit === true; n++) {
    void simulation.call();
    await clock.runUntil(clock.nowMs() + 5);
  }
  const replica = simulation.replicaOf('pool/a');
  const times: number[] = [];
  while (times.length < ejections) {
    a?.gate.readmit('to be ejected anew');
    for (let n = 0; n < 5; n++) {
      void simulation.call();
      await clock.runUntil(clock.nowMs() + 5);
    }
    assert.equal(a?.gate.state, 'ejected');
    const { sinceMs } = a.gate.story;
    const before = replica.seen.length;
    const waiting = simulation.call({ deadlineMs: 20_000 });
    await waitFor(simulation, () => replica.seen.length > before);
    times.push(clock.nowMs() - sinceMs);
    await clock.runUntil(clock.nowMs() + 5);
    await waiting;
  }
  return times;
}

async function waitFor({ clock }: Simulation, holds: () => boolean): Promise<void> {
  for (const untilMs = clock.nowMs() + 30_000; !holds(); ) {
    if (clock.nowMs() > untilMs) throw new Error('it did not come to it');
    await clock.runUntil(clock.nowMs() + 5);
  }
}
