import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRng } from '../../../gateway/kernel/rng.ts';
import type { Summary } from '../../../loadtest/report/summary.ts';
import { renderText } from '../../../loadtest/report/text.ts';
import { type FindMaxRateOptions, findMaxRate } from '../../../loadtest/search/find-max-rate.ts';
import { isOverSaturated } from '../../../loadtest/search/over-saturation.ts';
import { rateSections, reportOfMaxRate, reportOfSweep } from '../../../loadtest/search/rate-report.ts';
import { kneeOf, sweep, sweepRates } from '../../../loadtest/search/sweep.ts';
import { repetitions } from '../../support/counts.ts';
import { record, summaryOf } from '../../support/run-records.ts';

const plain = summaryOf([record()]);

/** A run with this p99 and these good answers a second. */
function runOf(p99Ms: number, goodPerSecond: number, isValid = true): Summary {
  const ok = {
    count: 100,
    meanMs: p99Ms,
    p50Ms: p99Ms,
    p90Ms: p99Ms,
    p95Ms: p99Ms,
    p99Ms,
    p999Ms: p99Ms,
    maxMs: p99Ms,
  };
  return {
    ...plain,
    verdict: { ...plain.verdict, isValid },
    latency: { ...plain.latency, ok },
    goodput: { good: 100, share: 1, perSecond: goodPerSecond },
  };
}

const bounds = { startPerSecond: 100, leastPerSecond: 1, mostPerSecond: 10_000, precision: 0.05, repeats: 3 };
const options = (measureAt: (rate: number) => Summary, more: Partial<FindMaxRateOptions> = {}): FindMaxRateOptions => ({
  ...bounds,
  measureAt: async (rate) => measureAt(rate),
  isMet: ({ latency }) => (latency.ok?.p99Ms ?? 0) <= 500,
  isInterrupted: () => false,
  ...more,
});

test('the highest rate that holds is found within the precision, from wherever the search starts', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 9000 }), fc.integer({ min: 1, max: 10_000 }), async (limit, start) => {
      const found = await findMaxRate(
        options((rate) => runOf(rate <= limit ? 100 : 900, rate), { startPerSecond: start }),
      );
      const { maxPerSecond } = found;
      assert.ok(
        maxPerSecond !== null && maxPerSecond <= limit && maxPerSecond * 1.05 >= limit * 0.9999,
        `${maxPerSecond}`,
      );
      assert.equal(found.limitedBy, 'slo');
      assert.ok(found.tried.length <= 22, `${found.tried.length} rates`);
    }),
    { numRuns: repetitions({ quick: 100, full: 1000 }) },
  );
});

test('near the boundary the majority decides', async () => {
  const rng = seededRng(5);
  // One run in five is spoilt by chance, on either side of 400 a second.
  const found = await findMaxRate(
    options((rate) => runOf(rate <= 400 === rng.next() >= 0.2 ? 100 : 900, rate), { repeats: 9 }),
  );
  assert.ok(found.maxPerSecond !== null && Math.abs(found.maxPerSecond / 400 - 1) < 0.06, `${found.maxPerSecond}`);
});

test('a generator that cannot keep up, three times at one rate, is named as the limit', async () => {
  const found = await findMaxRate(options((rate) => runOf(100, rate, rate < 1000)));
  assert.equal(found.limitedBy, 'generator');
  assert.ok(found.maxPerSecond !== null && found.maxPerSecond < 1000 && found.maxPerSecond > 950);
  for (const { isValid, runs } of found.tried) assert.equal(runs.length, isValid ? 2 : 3);
  assert.match(reportOfMaxRate(found, 'a-run').conclusion, /^9\d\d\/s, limited by the generator, /);
  const hopeless = await findMaxRate(options((rate) => runOf(100, rate, false)));
  assert.equal(hopeless.maxPerSecond, null);
  assert.match(reportOfMaxRate(hopeless, 'a-run').conclusion, /^limited by the generator, .* nothing is known/);
});

test('an invalid run is made again, and decides nothing', async () => {
  let nth = 0;
  // Of each five runs the first two are invalid, and say the opposite.
  const found = await findMaxRate(
    options((rate) => {
      const isValid = nth++ % 5 >= 2;
      return runOf(rate <= 400 === isValid ? 100 : 900, rate, isValid);
    }),
  );
  assert.equal(found.limitedBy, 'slo');
  assert.ok(
    found.maxPerSecond !== null && found.maxPerSecond <= 400 && found.maxPerSecond * 1.05 >= 399,
    `${found.maxPerSecond}`,
  );
  assert.ok(found.tried.every(({ isValid, runs }) => isValid && runs.length <= 5));
});

test('a search that meets no limit ends at its bound, and one where nothing holds finds nothing', async () => {
  const endless = await findMaxRate(options((rate) => runOf(100, rate)));
  assert.deepEqual([endless.maxPerSecond, endless.limitedBy], [10_000, 'bound']);
  const hopeless = await findMaxRate(options((rate) => runOf(900, rate)));
  assert.deepEqual([hopeless.maxPerSecond, hopeless.limitedBy], [null, 'slo']);
  assert.equal(hopeless.tried.at(-1)?.ratePerSecond, 1);
  const sparse = await findMaxRate(options((rate) => runOf(900, rate, rate >= 5)));
  assert.deepEqual([sparse.maxPerSecond, sparse.limitedBy], [null, 'slo'], 'it failed wherever it could be measured');
});

test('the knee of an M/M/1 queue is half its capacity', () => {
  const points = Array.from({ length: 99 }, (_, at) => {
    const ratePerSecond = 10 * (at + 1);
    return { ratePerSecond, summary: runOf((1000 * Math.log(100)) / (1000 - ratePerSecond), ratePerSecond) };
  });
  assert.equal(kneeOf(points), 500);
});

test('goodput that bends makes a knee where latency does not', () => {
  const points = [100, 200, 300, 400].map((ratePerSecond) => ({
    ratePerSecond,
    summary: runOf(50, ratePerSecond <= 300 ? ratePerSecond : 120),
  }));
  assert.equal(kneeOf(points), 300);
  assert.equal(kneeOf(points.map((point) => ({ ...point, summary: runOf(50, 9, false) }))), null);
});

test('a sweep goes up and stops where the target is over-saturated', async () => {
  const found = await sweep([400, 50, 100, 200], async (rate) => queueUnder(rate, 120));
  assert.deepEqual(
    found.points.map((point) => [point.ratePerSecond, point.isOverSaturated]),
    [
      [50, false],
      [100, false],
      [200, true],
    ],
  );
  assert.equal(found.stoppedEarly, true);
});

test('a sweep stops where the generator falls behind', async () => {
  const found = await sweep([1, 2, 3], async (rate) => runOf(10, rate, rate < 2));
  assert.deepEqual([found.points.length, found.kneePerSecond], [2, null], 'one valid point shows no knee');
});

test('no knee has been seen where the last valid point is the best', () => {
  const rising = [100, 200, 300].map((rate) => ({ ratePerSecond: rate, summary: runOf(50, rate) }));
  assert.equal(kneeOf(rising), null);
  assert.equal(kneeOf([...rising, { ratePerSecond: 400, summary: runOf(9000, 400, false) }]), null);
  assert.equal(kneeOf([...rising, { ratePerSecond: 400, summary: runOf(9000, 400) }]), 300);
});

test('a queue that is loaded to 90 % is not over-saturated, one offered 110 % is', () => {
  for (let seed = 1; seed <= 20; seed++) {
    assert.equal(isOverSaturated(queueUnder(90, 100, seed)), false, `90 %, seed ${seed}`);
    assert.equal(isOverSaturated(queueUnder(110, 100, seed)), true, `110 %, seed ${seed}`);
  }
});

test('a sweep and a search are told by rising rate, with what is to be said of each', async () => {
  const swept = reportOfSweep(await sweep([400, 50, 100, 200], async (rate) => queueUnder(rate, 120)), 'a-run');
  const text = renderText(rateSections(swept), { isColoured: false });
  assert.match(text, /^ {2}the knee is at 50\.0\/s; stopped before the last rate: over-saturated$/m);
  assert.match(text, /^ {2}50\.0\/s .* 100 % .* knee$/m);
  assert.match(text, /^ {2}200\/s .* over-saturated$/m);
  const found = reportOfMaxRate(await findMaxRate(options((rate) => runOf(rate <= 300 ? 100 : 900, rate))), 'a-run');
  assert.match(found.conclusion, /^29\d\/s, beyond it the target does not hold what was asked$/);
  const rates = found.points.map(({ ratePerSecond }) => ratePerSecond);
  assert.deepEqual(
    rates,
    rates.toSorted((a, b) => a - b),
  );
  assert.deepEqual(
    found.points.map(({ note }) => note),
    rates.map((rate) => (rate <= 300 ? 'holds' : 'FAILS')),
  );
  const hopeless = await findMaxRate(options((rate) => runOf(900, rate)));
  assert.equal(reportOfMaxRate(hopeless, 'a-run').conclusion, 'not even the least rate holds');
});

test('a search that is interrupted tells what had held until then', async () => {
  let runs = 0;
  const isInterrupted = (): boolean => runs >= 5;
  const counted = (rate: number): Summary => {
    runs += 1;
    return runOf(rate <= 300 ? 100 : 900, rate, runs < 5);
  };
  const found = await findMaxRate(options(counted, { isInterrupted }));
  assert.deepEqual([found.maxPerSecond, found.limitedBy, runs], [200, 'interruption', 5]);
  assert.match(reportOfMaxRate(found, 'a-run').conclusion, /^200\/s, so far: the search was interrupted$/);
});

test('a sweep says why it went no further', async () => {
  const invalid = await sweep([50, 100, 200], async (rate) => runOf(10 + rate, rate, rate < 100));
  assert.match(
    reportOfSweep(invalid, 'a-run').conclusion,
    /^no knee seen.*; stopped before the last rate: its last run was INVALID$/,
  );
});

test('a queue that happens to grow for a while is not taken for an over-saturated one', () => {
  const seeds = Array.from({ length: 100 }, (_, at) => at + 1);
  for (const [perSecond, forMs] of [
    [90, 10_000],
    [95, 60_000],
  ] as const) {
    const alarms = seeds.filter((seed) => isOverSaturated(queueUnder(perSecond, 100, seed, forMs)));
    assert.ok(alarms.length <= 2, `${perSecond} %: seeds ${alarms.join(', ')}`);
  }
});

test('the rates of a sweep rise by one factor', () => {
  assert.deepEqual(sweepRates(10, 80, 4).map(Math.round), [10, 20, 40, 80]);
  assert.deepEqual(sweepRates(10, 80, 1), [10]);
});

/** Poisson arrivals at one slot of exponential service. */
function queueUnder(perSecond: number, capacityPerSecond: number, seed = 1, forMs = 60_000): Summary {
  const rng = seededRng(seed);
  const drawMs = (rate: number): number => (-1000 * Math.log(1 - rng.next())) / rate;
  const records = [];
  let freeAtMs = 0;
  for (let plannedAtMs = drawMs(perSecond); plannedAtMs < forMs; plannedAtMs += drawMs(perSecond)) {
    freeAtMs = Math.max(freeAtMs, plannedAtMs) + drawMs(capacityPerSecond);
    records.push(record({ plannedAtMs, latencyMs: freeAtMs - plannedAtMs }));
  }
  return summaryOf(records, { untilMs: forMs });
}
