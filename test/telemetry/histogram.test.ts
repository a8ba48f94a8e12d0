import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { FastHistogram, latencyBucketsSeconds } from '../../gateway/telemetry/histogram.ts';
import { repetitions } from '../support/counts.ts';
import { readPrometheus, type Sample } from '../support/prometheus.ts';

async function scrape(registry: Registry): Promise<readonly Sample[]> {
  const family = readPrometheus(await registry.metrics()).get('x_seconds') ?? assert.fail('no such metric');
  assert.deepEqual([family.type, family.help], ['histogram', 'Time of x.']);
  return family.samples;
}

function newHistogram(bounds?: readonly number[]): { registry: Registry; histogram: FastHistogram } {
  const registry = new Registry();
  const options = { name: 'x_seconds', help: 'Time of x.', registry };
  return { registry, histogram: new FastHistogram(bounds === undefined ? options : { ...options, bounds }) };
}

describe('a histogram', () => {
  it('counts each value in every bucket whose bound it does not exceed, with the sum and the count', async () => {
    const bounds = [0.1, 1, 10];
    const values = fc.array(fc.oneof(fc.double({ min: 0, max: 20, noNaN: true }), fc.constantFrom(0, ...bounds)));
    await fc.assert(
      fc.asyncProperty(values, async (all) => {
        const { registry, histogram } = newHistogram(bounds);
        const child = histogram.child({ backend: 'pool' });
        for (const value of all) child.observe(value);
        const samples = await scrape(registry);
        const buckets = samples.filter(({ name }) => name === 'x_seconds_bucket');
        assert.deepEqual(
          buckets.map(({ labels, value }) => [labels.le, value]),
          [
            ...bounds.map((bound) => [String(bound), all.filter((value) => value <= bound).length]),
            ['+Inf', all.length],
          ],
        );
        const [sum, count] = ['sum', 'count'].map(
          (part) => samples.find(({ name }) => name === `x_seconds_${part}`)?.value,
        );
        assert.equal(count, all.length);
        const wanted = all.reduce((total, value) => total + value, 0);
        assert.ok(Math.abs((sum ?? -1) - wanted) <= 1e-9 * (1 + wanted), `sum ${sum}, wanted ${wanted}`);
      }),
      { numRuns: repetitions({ quick: 100, full: 5000 }) },
    );
  });

  it('keeps label sets apart, whatever their values hold', async () => {
    const { registry, histogram } = newHistogram([1]);
    const names = ['a', 'a"b', 'a\\b', 'a\nb', 'é', ''];
    for (const backend of names) histogram.child({ backend }).observe(0.5);
    const counts = (await scrape(registry)).filter(({ name, value }) => name === 'x_seconds_count' && value === 1);
    assert.deepEqual(
      counts.map(({ labels }) => labels.backend),
      names,
    );
  });

  it('without an observation has empty buckets, and without a label set none', async () => {
    const { registry, histogram } = newHistogram();
    assert.deepEqual(await scrape(registry), []);
    histogram.child({ backend: 'pool' });
    const samples = await scrape(registry);
    assert.equal(samples.length, latencyBucketsSeconds.length + 3);
    assert.ok(samples.every(({ value }) => value === 0));
  });
});

it('the bounds of latencies rise from below a millisecond to two minutes', () => {
  assert.deepEqual(
    latencyBucketsSeconds,
    latencyBucketsSeconds.toSorted((a, b) => a - b),
  );
  assert.deepEqual([latencyBucketsSeconds[0], latencyBucketsSeconds.at(-1)], [0.0005, 120]);
});
