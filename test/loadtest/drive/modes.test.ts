import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../../gateway/kernel/virtual-clock.ts';
import {
  type Bench,
  compareTargets,
  findTargetsMaxRate,
  sweepTarget,
  type Variation,
} from '../../../loadtest/drive/modes.ts';
import type { Summary } from '../../../loadtest/report/summary.ts';
import { plainFacts, record, summaryOf } from '../../support/run-records.ts';

const targets = ['a', 'b'].map((name) => ({
  name,
  url: 'http://x',
  protocol: 'openai' as const,
  model: 'm',
  headers: {},
}));
const scenario = { seed: 100, targets, forMs: null, warmUpMs: 0 };

/** Runs that are told apart by their latency. */
function benchWith(latencyOf: (variation: Variation) => number) {
  const clock = new VirtualClock();
  const runs: Variation[] = [];
  const interruption = new AbortController();
  const bench: Bench = {
    clock,
    signal: interruption.signal,
    async measure(variation): Promise<Summary> {
      runs.push(variation);
      const latencyMs = latencyOf(variation);
      return summaryOf(
        Array.from({ length: 100 }, (_, index) => record({ index, plannedAtMs: index * 10, latencyMs })),
        { run: { ...plainFacts.run, target: variation.target } },
      );
    },
  };
  return { clock, runs, interruption, bench };
}

/** What a mode gives, time going on meanwhile. */
async function settled<Value>(clock: VirtualClock, promise: Promise<Value>): Promise<Value> {
  await clock.runAll();
  return promise;
}

test('a comparison runs both targets by turns under one seed a pair, and each pair has its own', async () => {
  const { clock, runs, bench } = benchWith(({ target, seed }) => (target === 'a' ? 100 : 120) + (seed % 7));
  const { comparisons, summaries } = await settled(clock, compareTargets(scenario, bench, 8));
  assert.equal(runs.map(({ target }) => target).join(''), 'abbaabbaabbaabba');
  assert.deepEqual(
    runs.map(({ seed }) => seed),
    Array.from({ length: 16 }, (_, at) => 100 + Math.floor(at / 2)),
  );
  assert.equal(summaries.length, 16);
  const [{ differences } = { differences: [] }, ...more] = comparisons;
  // Values of one pair stand at one place, whichever side was first.
  const p50 = differences.find(({ metric }) => metric === 'p50');
  assert.ok(
    p50?.a.values.every((ofA, at) => Math.abs(ofA + 20 - (p50.b.values[at] ?? 0)) < 0.2),
    JSON.stringify(p50),
  );
  assert.equal(differences.find(({ metric }) => metric === 'p99')?.verdict, 'worse');
  assert.equal(more.length, 0);
});

test('of more than two targets each is compared with the first, all of them in each round', async () => {
  const latencies: Readonly<Record<string, number>> = { a: 100, b: 120, c: 80 };
  const { clock, runs, bench } = benchWith(({ target, seed }) => (latencies[target] ?? 0) + (seed % 7));
  const three = { seed: 100, targets: [...targets, ...targets.slice(0, 1).map((one) => ({ ...one, name: 'c' }))] };
  const { comparisons, summaries } = await settled(clock, compareTargets(three, bench, 8));
  assert.equal(runs.map(({ target }) => target).join(''), 'abccba'.repeat(4));
  assert.equal(summaries.length, 24);
  assert.deepEqual(
    comparisons.map(({ a, b, differences }) => [a, b, differences.find(({ metric }) => metric === 'p99')?.verdict]),
    [
      ['a', 'b', 'worse'],
      ['a', 'c', 'better'],
    ],
  );
});

test('an interrupted comparison begins no other run, and its half pair counts for nothing', async () => {
  const { clock, runs, interruption, bench } = benchWith(() => {
    if (runs.length === 3) interruption.abort();
    return 100;
  });
  const { comparisons, summaries } = await settled(clock, compareTargets(scenario, bench, 8));
  assert.deepEqual(
    [summaries.length, ...comparisons.map(({ repetitions, differences }) => [repetitions, differences.length])],
    [2, [1, 0]],
  );
});

test('the highest rate is found within its precision, each run with a seed of its own', async () => {
  const { clock, runs, bench } = benchWith(({ ratePerSecond = 0 }) => (ratePerSecond > 700 ? 900 : 50));
  const measure = async (variation: Variation): Promise<Summary> => {
    const summary = await bench.measure(variation);
    const p50Ms = summary.latency.ok?.p50Ms ?? 0;
    return { ...summary, goodput: { ...summary.goodput, share: p50Ms > 500 ? 0.5 : 1 } };
  };
  const found = await settled(clock, findTargetsMaxRate(scenario, { ...bench, measure }, 100));
  const { maxPerSecond } = found;
  assert.ok(maxPerSecond !== null && maxPerSecond <= 700 && maxPerSecond > 700 / 1.06, `${maxPerSecond}`);
  assert.equal(found.limitedBy, 'slo');
  assert.equal(new Set(runs.map(({ seed }) => seed)).size, runs.length);
});

test('no rate is tried at which a run would have fewer than ten requests', async () => {
  const { clock, runs, bench } = benchWith(() => 50);
  const measure = async (variation: Variation): Promise<Summary> => {
    await bench.measure(variation);
    return summaryOf([record({ latencyMs: 9000 })], { slos: { ...plainFacts.slos, latencyMs: 100 } });
  };
  const brief = { ...scenario, forMs: 3000, warmUpMs: 1000 };
  const found = await settled(clock, findTargetsMaxRate(brief, { ...bench, measure }, 20));
  assert.deepEqual([found.maxPerSecond, found.limitedBy], [null, 'slo']);
  assert.deepEqual([...new Set(runs.map(({ ratePerSecond }) => ratePerSecond))], [20, 10, 5]);
});

test('a sweep goes up through its rates, and ends at once when it is interrupted', async () => {
  const { clock, runs, bench } = benchWith(() => 50);
  const found = await settled(clock, sweepTarget(scenario, bench, [10, 20, 40]));
  assert.deepEqual(
    runs.map(({ ratePerSecond }) => ratePerSecond),
    [10, 20, 40],
  );
  assert.equal(found.stoppedEarly, false);
  const other = benchWith(() => 50);
  other.interruption.abort();
  const interrupted = sweepTarget(scenario, other.bench, [10, 20, 40]);
  interrupted.catch(() => {});
  await other.clock.runAll();
  await assert.rejects(interrupted, { name: 'AbortError' });
  assert.equal(other.runs.length, 0);
});
