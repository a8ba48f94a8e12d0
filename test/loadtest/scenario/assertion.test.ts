import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAssertion } from '../../../loadtest/scenario/assertion.ts';

for (const [text, measure, quantile, operator, bound] of [
  ['p99<800ms', 'latency', 0.99, '<', 800],
  ['p99.9 <= 2s', 'latency', 0.999, '<=', 2000],
  ['latency.p50>1ms', 'latency', 0.5, '>', 1],
  ['max<5s', 'latency', 1, '<', 5000],
  ['ttft.p90>=400ms', 'ttft', 0.9, '>=', 400],
  ['itl.max<1s', 'itl', 1, '<', 1000],
  ['tpot.p5<1m', 'tpot', 0.05, '<', 60_000],
  ['service.p99<1s', 'service', 0.99, '<', 1000],
  ['lag.p99<2ms', 'lag', 0.99, '<', 2],
  ['goodput>0.95', 'goodput', null, '>', 0.95],
  ['goodput >= 95%', 'goodput', null, '>=', 0.95],
  ['shed<=1%', 'shed', null, '<=', 0.01],
  ['upstream_error<0.001', 'upstream_error', null, '<', 0.001],
  ['ok>=1', 'ok', null, '>=', 1],
] as const) {
  test(`${text} can be judged`, () => {
    assert.deepEqual(parseAssertion(text), { text, measure, quantile, operator, bound });
  });
}

for (const text of [
  '',
  'p99',
  'p99<',
  '<800ms',
  'p99<800',
  'p99<0.5',
  'p99=800ms',
  'p99==800ms',
  'p99<<800ms',
  'p99<800ms<1s',
  'p100<1s',
  'p-1<1s',
  'mean<1s',
  'cost.p99<1s',
  'latency<1s',
  'ttft<1s',
  'goodput.p99>0.5',
  'goodput>1.5',
  'goodput>101%',
  'goodput>1s',
  'failed<1%',
]) {
  test(`${JSON.stringify(text)} is no assertion`, () => {
    assert.equal(parseAssertion(text), null);
  });
}
