import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng } from '../../../gateway/kernel/rng.ts';
import { instantsOf } from '../../../loadtest/arrivals/instants.ts';
import type { Arrivals, Burstiness, RateSegment } from '../../../loadtest/scenario/scenario.ts';
import { repetitions } from '../../support/counts.ts';
import { assertDistributed, erlang, halfGamma } from '../kolmogorov.ts';
import { load, withTop } from '../scenario/yaml.ts';
import { gapStatistics } from '../trace-statistics.ts';

const seed = 7;
const many = repetitions({ quick: 20_000, full: 2_000_000 });

function arrivalsOf(yaml: string): Arrivals {
  return load(withTop(`arrivals: { ${yaml} }`)).arrivals;
}

/** The instants within a run, at most so many. */
function instants(arrivals: Arrivals, runMs: number | null, most: number, from = seed): number[] {
  const found: number[] = [];
  for (const atMs of instantsOf(arrivals, runMs, seededRng(from))) {
    if (found.length === most || atMs >= (runMs ?? Number.POSITIVE_INFINITY)) break;
    found.push(atMs);
  }
  return found;
}

/** The gaps in units of the mean, the one before the first instant included. */
function gapsOf(atMs: readonly number[], ratePerSecond: number): number[] {
  return atMs.map((at, index) => ((at - (atMs[index - 1] ?? 0)) * ratePerSecond) / 1000);
}

test('constant arrivals come at the rate, the first at once, and no error adds up', () => {
  const found = instants(arrivalsOf('kind: constant, rate: 300/s'), null, 900_001);
  assert.equal(found[0], 0);
  assert.equal(found[300], 1000);
  assert.equal(found[900_000], 3_000_000);
  assert.equal(instants(arrivalsOf('kind: constant, rate: 300/s'), 10_000, 1e6).length, 3000);
});

test('the gaps of Poisson arrivals are exponential with the mean of the rate', () => {
  const gaps = gapsOf(instants(arrivalsOf('kind: poisson, rate: 50/s'), null, many), 50);
  assertDistributed(gaps, (x) => 1 - Math.exp(-x), `seed ${seed}`);
});

test('Poisson counts in disjoint seconds vary as much as their mean', () => {
  const found = instants(arrivalsOf('kind: poisson, rate: 50/s'), (many / 50) * 1000, 2 * many);
  const counts = new Array<number>(many / 50).fill(0);
  for (const atMs of found) counts[Math.floor(atMs / 1000)] = (counts[Math.floor(atMs / 1000)] ?? 0) + 1;
  const variance = counts.reduce((sum, count) => sum + (count - 50) ** 2, 0) / counts.length / 50;
  // The variance of a sample of n has a relative standard deviation of sqrt(2 / n); 4 of them.
  assert.ok(Math.abs(variance - 1) < 4 * Math.sqrt(2 / counts.length), `seed ${seed}: index of dispersion ${variance}`);
});

for (const [burstiness, upTo] of [
  [0.5, halfGamma],
  [1, (x: number) => erlang(1, x)],
  [2, (x: number) => erlang(2, x)],
  [9, (x: number) => erlang(9, x)],
] as const) {
  test(`the gaps of gamma arrivals of burstiness ${burstiness} are gamma distributed with that shape`, () => {
    const arrivals = arrivalsOf(`kind: gamma, rate: 50/s, burstiness: ${burstiness}`);
    assertDistributed(gapsOf(instants(arrivals, null, many), 50), upTo, `seed ${seed}`);
  });
}

test('the less the burstiness, the more gaps vary: their squared coefficient of variation is 1 over it', () => {
  for (const burstiness of [0.1, 0.25, 0.5, 1, 4]) {
    const found = instants(arrivalsOf(`kind: gamma, rate: 50/s, burstiness: ${burstiness}`), null, many);
    const { meanPerSecond, variation } = gapStatistics(found);
    // Four standard deviations: of the mean sqrt(1 / (shape n)), of the relative variance sqrt((2 + 6 / shape) / n).
    const ofMean = 4 * Math.sqrt(1 / (burstiness * many));
    const ofVariation = 4 * (Math.sqrt((2 + 6 / burstiness) / many) + 2 * Math.sqrt(1 / (burstiness * many)));
    assert.ok(Math.abs(50 / meanPerSecond - 1) < ofMean, `seed ${seed}: ${meanPerSecond}/s at ${burstiness}`);
    assert.ok(Math.abs(variation * burstiness - 1) < ofVariation, `seed ${seed}: ${variation} at ${burstiness}`);
  }
});

test('gamma arrivals of burstiness 1 are Poisson arrivals, on the same draws', () => {
  assert.deepEqual(
    instants(arrivalsOf('kind: gamma, rate: 50/s, burstiness: 1'), null, 1000),
    instants(arrivalsOf('kind: poisson, rate: 50/s'), null, 1000),
  );
});

test('another rate moves the same arrivals', () => {
  const slow = instants(arrivalsOf('kind: poisson, rate: 10/s'), null, 1000);
  const fast = instants(arrivalsOf('kind: poisson, rate: 40/s'), null, 1000);
  for (const [at, atMs] of slow.entries()) assert.ok(Math.abs((fast[at] ?? 0) * 4 - atMs) < 1e-6 * atMs);
});

const open = (burstiness: Burstiness, segments: readonly RateSegment[]): Arrivals => ({
  kind: 'open',
  burstiness,
  segments,
});

test('an even ramp has its n-th arrival where n are expected', () => {
  for (const [from, to] of [
    [0, 100],
    [100, 0],
    [20, 80],
    [80, 20],
  ] as const) {
    const found = instants(open('even', [{ fromPerSecond: from, toPerSecond: to, forMs: 20_000 }]), null, 1e6);
    assert.equal(found.length, 1000, `${from}/s to ${to}/s`);
    for (const [at, atMs] of found.entries()) {
      const s = atMs / 1000;
      assert.ok(Math.abs(from * s + ((to - from) / 40) * s * s - at) < 1e-6, `${from}/s to ${to}/s: ${at} at ${atMs}`);
    }
  }
});

test('the arrivals of a Poisson ramp lie where its rate puts them, and are as many as its area', () => {
  const seconds = many / 50;
  const found = instants(open(1, [{ fromPerSecond: 0, toPerSecond: 100, forMs: seconds * 1000 }]), null, 4 * many);
  assertDistributed(found, (atMs) => (atMs / (seconds * 1000)) ** 2, `seed ${seed}`);
  assert.ok(Math.abs(found.length - many) < 4 * Math.sqrt(many), `seed ${seed}: ${found.length} arrivals`);
});

test('a ramp without over takes the whole run; one with it goes on at its last rate', () => {
  const whole = arrivalsOf('kind: ramp, from: 0/s, to: 100/s, burstiness: even');
  assert.equal(instants(whole, 20_000, 1e6).length, 1000);
  assert.equal(instants(whole, 40_000, 1e6).length, 2000);
  const half = arrivalsOf('kind: ramp, from: 0/s, to: 100/s, over: 10s, burstiness: even');
  assert.equal(instants(half, 20_000, 1e6).length, 500 + 1000);
});

test('a ramp down to nothing ends', () => {
  const found = instants(arrivalsOf('kind: ramp, from: 100/s, to: 0/s, over: 2s'), null, 1e6);
  assert.ok(found.length > 50 && found.length < 150, `seed ${seed}: ${found.length}`);
});

test('steps come one after another, with silence where the rate is 0, and end the run', () => {
  const steps = '[{ rate: 10/s, for: 2s }, { rate: 0/s, for: 3s }, { rate: 40/s, for: 1s }]';
  const found = instants(arrivalsOf(`kind: step, burstiness: even, steps: ${steps}`), null, 1e6);
  assert.deepEqual(
    found.slice(0, 20),
    Array.from({ length: 20 }, (_, at) => at * 100),
  );
  assert.deepEqual(
    found.slice(20),
    Array.from({ length: 40 }, (_, at) => 5000 + at * 25),
  );
});

test('instants never go back', () => {
  const steps = '[{ rate: 1000/s, for: 2s }, { rate: 1/s, for: 3s }, { rate: 400/s, for: 1s }]';
  for (const yaml of [
    `kind: step, steps: ${steps}`,
    'kind: ramp, from: 500/s, to: 1/s',
    'kind: gamma, rate: 9/s, burstiness: 0.01',
  ])
    for (let from = 0; from < 20; from++)
      assert.ok(gapStatistics(instants(arrivalsOf(yaml), 6000, 1e5, from)).isInOrder, `${yaml}, seed ${from}`);
});

test('in a closed loop all are due at once, without an end', () => {
  const found = instants(arrivalsOf('kind: closed, concurrency: 3'), 1000, 5000);
  assert.equal(found.length, 5000);
  assert.deepEqual(new Set(found), new Set([0]));
});
