import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { arriveByChance, isError } from '../support/poisson.ts';
import { Simulation } from '../support/simulation.ts';

describe('replies of 400, 413 and 422 that come from all replicas alike', () => {
  for (const share of [1, 0.5, 0.1]) {
    it(`eject nobody, a thousand of them, where they are ${share * 100} % of all`, async () => {
      const seed = 31;
      const rng = seededRng(seed);
      const script = () => ({
        headAfterMs: 2,
        status: rng.next() < share ? ([400, 413, 422][rng.below(3)] ?? 400) : 200,
      });
      const replicas = Array.from({ length: 8 }, (_, at) => ({ id: `r${at}`, script }));
      const simulation = new Simulation({ seed, backends: [{ name: 'pool', replicas }] });
      const turns: string[] = [];
      for (const { gate, fullName } of simulation.backends[0]?.replicas ?? [])
        gate.changed.subscribe(({ state }) => turns.push(`${fullName} ${state}`));
      const answering = arriveByChance(simulation, { ratePerSecond: 400, forMs: 1_100 / (0.4 * share), rng });
      await simulation.clock.runAll();
      const answers = await answering;
      const errors = answers.filter(isError).length;
      assert.ok(errors >= 1_000, `${errors} errors`);
      assert.deepEqual(turns, [], `seed ${seed}`);
      assert.equal(simulation.tried.length, answers.length, 'none is tried again');
      assert.deepEqual(simulation.leftovers(), []);
    });
  }
});

describe('requests that are given up before their answer begins', () => {
  const impatient = { deadlineMs: 500 };

  it('eject the one replica of four that hangs, though no time-out of its own has passed', async () => {
    const seed = 32;
    const rng = seededRng(seed);
    const replicas = Array.from({ length: 4 }, (_, at) => ({
      id: `r${at}`,
      script: () => ({ headAfterMs: at === 0 ? Number.POSITIVE_INFINITY : 5 }),
    }));
    const simulation = new Simulation({ seed, backends: [{ name: 'pool', policy: 'round-robin', replicas }] });
    const answering = arriveByChance(simulation, { ratePerSecond: 100, forMs: 20_000, rng, call: impatient });
    await simulation.clock.runUntil(20_000);
    const [hung, ...others] = simulation.backends[0]?.replicas ?? [];
    assert.equal(hung?.gate.state === 'passing', false, `seed ${seed}`);
    assert.match(hung?.gate.story.reason ?? '', /no answer in time/);
    assert.ok(others.every(({ gate }) => gate.state === 'passing'));
    await simulation.clock.runAll();
    const answers = await answering;
    const errors = answers.filter(isError).length;
    assert.ok(errors < 0.05 * answers.length, `${errors} of ${answers.length}, seed ${seed}`);
    assert.deepEqual(simulation.leftovers(), []);
  });

  it('eject nobody where all replicas are as slow', async () => {
    const seed = 33;
    const rng = seededRng(seed);
    const replicas = Array.from({ length: 4 }, (_, at) => ({
      id: `r${at}`,
      script: () => ({ headAfterMs: rng.next() < 0.5 ? 5 : 5_000 }),
    }));
    const simulation = new Simulation({ seed, backends: [{ name: 'pool', policy: 'round-robin', replicas }] });
    const answering = arriveByChance(simulation, { ratePerSecond: 100, forMs: 20_000, rng, call: impatient });
    await simulation.clock.runAll();
    await answering;
    assert.ok(
      simulation.backends[0]?.replicas.every(({ gate }) => gate.state === 'passing'),
      `seed ${seed}`,
    );
  });
});
