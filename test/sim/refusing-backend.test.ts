import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { headerInList } from '../../gateway/pipeline/headers.ts';
import { arriveByChance, isError } from '../support/poisson.ts';
import type { Script } from '../support/simulated-replica.ts';
import { type Answer, Simulation } from '../support/simulation.ts';

const ratePerSecond = 200;
const refusalMs = 20_000;
const recoveryMs = 10_000;
const floorPerSecond = 3;

/** What the replicas say of when to come again, and how many there are. */
const cases: readonly { claim: string; count: number; headers: Record<string, string> }[] = [
  { claim: 'four that do not say for how long', count: 4, headers: {} },
  { claim: 'four that ask for a minute', count: 4, headers: { 'retry-after': '60' } },
  { claim: 'four that ask for nothing', count: 4, headers: { 'retry-after': '0' } },
  { claim: 'a single one', count: 1, headers: {} },
];

describe('a backend whose replicas all answer 503', () => {
  for (const { claim, count, headers } of cases) {
    it(`is not burdened with more tries than its budget, refuses at once and is back soon: ${claim}`, async (context) => {
      const seed = 21;
      const rng = seededRng(seed);
      let isWell = false;
      const script = (): Script =>
        isWell ? { headAfterMs: 5 + 10 * rng.next() } : { headAfterMs: 2, status: 503, headers };
      const replicas = Array.from({ length: count }, (_, at) => ({ id: `r${at}`, script }));
      const backend = { name: 'pool', replicas, retry: { floorPerSecond }, breaker: { slowStartMs: 10_000 } };
      const simulation = new Simulation({ seed, backends: [backend] });
      const { clock, tried } = simulation;
      const refused = arriveByChance(simulation, { ratePerSecond, forMs: refusalMs, rng });
      await clock.runUntil(refusalMs);
      const triesThen = tried.length;
      isWell = true;
      const recovering = arriveByChance(simulation, { ratePerSecond, forMs: recoveryMs, rng });
      await clock.runUntil(refusalMs + recoveryMs);
      const served = arriveByChance(simulation, { ratePerSecond, forMs: recoveryMs, rng });
      await clock.runAll();
      await recovering;
      const answers = await refused;
      const slowestMs = Math.max(...answers.map(tookMs));
      context.diagnostic(
        `${claim}: ${answers.length} requests, ${triesThen} tries, slowest refusal ${slowestMs.toFixed(1)} ms, ` +
          `full service after ${fullServiceAfter(simulation).toFixed(0)} ms`,
      );
      const allowed = 1.2 * answers.length + (floorPerSecond * refusalMs) / 1000;
      assert.ok(triesThen <= allowed, `${triesThen} tries, seed ${seed}`);
      assert.ok(answers.every(isError));
      assert.ok(slowestMs < 50, `${slowestMs} ms, seed ${seed}`);
      assert.deepEqual(answers.filter((one) => !saysWhen(one)).length, 0, 'every refusal says when to come again');
      assert.deepEqual((await served).filter(isError).length, 0, 'ten seconds after their recovery all is well');
      assert.deepEqual(simulation.leftovers(), []);
    });
  }
});

function tookMs({ exchange: { journal, receivedAtMs } }: Answer): number {
  return journal.endedAtMs - receivedAtMs;
}

function saysWhen({ error, headers }: Answer): boolean {
  return error === null ? headerInList(headers, 'retry-after') !== null : error.retryAfterMs !== null;
}

/** Of the recovery, when the last request came that was not served. */
function fullServiceAfter({ settled }: Simulation): number {
  const failed = settled.filter(({ journal, receivedAtMs }) => receivedAtMs >= refusalMs && journal.status !== 200);
  return Math.max(0, ...failed.map(({ receivedAtMs }) => receivedAtMs - refusalMs));
}
