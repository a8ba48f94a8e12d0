import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { lognormal } from '../../loadtest/model-server/draws.ts';
import { repetitions } from '../support/counts.ts';
import { arriveByChance } from '../support/poisson.ts';
import { Simulation } from '../support/simulation.ts';

const replicaCount = 8;
const slots = 8;
const fastMs = 20;
const slowShare = 0.05;
const timesSlow = 10;
const meanMs = fastMs * (1 + slowShare * (timesSlow - 1));

interface Run {
  readonly p999Ms: number;
  readonly triesPerRequest: number;
  /** Once it is warm: until the first requests have filled the slots, there is room for hedges at any load. */
  readonly hedges: number;
}

/** Eight replicas whose servers now and then take ten times as long, by their own draw, for `forMs` and a while before that is not counted. */
async function run(seed: number, load: number, forMs: number, isHedged: boolean): Promise<Run> {
  const rng = seededRng(seed);
  const draw = seededRng(seed + 1_000);
  const serve = () => ({ headAfterMs: fastMs * lognormal(draw, 0.5) * (draw.next() < slowShare ? timesSlow : 1) });
  const replicas = Array.from({ length: replicaCount }, (_, at) => ({
    id: `r${at}`,
    slots,
    worksOn: slots,
    script: serve,
  }));
  const hedge = isHedged ? { after: { kind: 'quantile', quantile: 0.95 } as const, budgetShare: 0.05 } : null;
  const simulation = new Simulation({ seed, backends: [{ name: 'pool', replicas, hedge }] });
  const ratePerSecond = (load * replicaCount * slots * 1000) / meanMs;
  const warming = arriveByChance(simulation, { ratePerSecond, forMs: 2_000, rng });
  await simulation.clock.runUntil(2_000);
  const triesWarm = simulation.tried.length;
  const answering = arriveByChance(simulation, { ratePerSecond, forMs, rng });
  await simulation.clock.runAll();
  const [warm, answers] = await Promise.all([warming, answering]);
  assert.deepEqual(simulation.leftovers(), []);
  const times = answers
    .map(({ exchange: { journal, receivedAtMs } }) => journal.endedAtMs - receivedAtMs)
    .toSorted((a, b) => a - b);
  const { tried } = simulation;
  return {
    p999Ms: times[Math.floor(0.999 * times.length)] ?? assert.fail(),
    triesPerRequest: tried.length / (warm.length + answers.length),
    hedges: tried.slice(triesWarm).filter(({ kind }) => kind === 'hedge').length,
  };
}

const forMs = repetitions({ quick: 10_000, full: 60_000 });
const seeds = [1, 2, 3, 4, 5];

describe('hedging, where each request is slow ten times over with 5 % chance', () => {
  for (const seed of seeds) {
    it(`cuts p99.9 by a quarter or more for 5 % more tries at the most, at 40 % load (seed ${seed})`, async (context) => {
      const plain = await run(seed, 0.4, forMs, false);
      const hedged = await run(seed, 0.4, forMs, true);
      const cut = 1 - hedged.p999Ms / plain.p999Ms;
      context.diagnostic(
        `seed ${seed}: p99.9 ${plain.p999Ms.toFixed(0)} -> ${hedged.p999Ms.toFixed(0)} ms ` +
          `(${(100 * cut).toFixed(1)} %), tries ${hedged.triesPerRequest.toFixed(4)}`,
      );
      assert.ok(cut >= 0.25, `cut by ${cut}, seed ${seed}`);
      assert.ok(hedged.triesPerRequest <= 1.05, `${hedged.triesPerRequest} tries, seed ${seed}`);
    });
  }

  it('has switched itself off at 85 % load', async (context) => {
    const { hedges, triesPerRequest } = await run(6, 0.85, forMs, true);
    context.diagnostic(`at 85 %: ${hedges} hedges, tries ${triesPerRequest.toFixed(4)}`);
    assert.equal(hedges, 0);
  });
});
