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
