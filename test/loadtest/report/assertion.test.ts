import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metrics, parseAssertion, withAssertions } from '../../../loadtest/report/assertion.ts';
import { exitCodeOf } from '../../../loadtest/report/exit-code.ts';
import type { Summary } from '../../../loadtest/report/summary.ts';
import { record, summaryOf } from '../../support/run-records.ts';

const run = summaryOf(
  [
    ...Array.from({ length: 97 }, (_, index) => record({ index, plannedAtMs: index * 10, latencyMs: 100 })),
    record({ outcome: 'upstream_error' }),
    record({ outcome: 'shed' }),
    record({ outcome: 'cancelled' }),
  ],
  { untilMs: 1000 },
);

function judged(text: string): boolean | string {
  const parsed = parseAssertion(text);
  return 'wanted' in parsed ? parsed.wanted : parsed.assertion.judge(run).isMet;
}

test('a claim holds or not, in the unit of its metric', () => {
  const expected: Readonly<Record<string, boolean>> = {
    'p50<=100ms': true,
    'p90<101ms': true,
    'p95<100ms': false,
    'p99<800ms': true,
    'p99<0.1s': false,
    'p99 <= 0.1s': true,
    'p99.9>99ms': true,
    'max>=100ms': true,
    'service.p50<1s': true,
    'lag.p99<2ms': true,
    'goodput>0.95': true,
    'goodput>=97%': true,
    'goodput>97%': false,
    'errors<0.1%': false,
    'errors<=1%': true,
    'shed<2%': true,
    'rate>=100/s': true,
    'goodput_rate>97/s': false,
  };
  for (const [text, isMet] of Object.entries(expected)) assert.equal(judged(text), isMet, text);
});

test('a claim about what the run does not have is not met', () => {
  assert.equal(judged('ttft.p99<10s'), false);
  assert.equal(judged('upstream_per_offered<9'), false);
});

test('what is no claim says what was wanted', () => {
  assert.match(String(judged('fast')), /a claim such as p99<800ms/);
  assert.match(String(judged('p97<1s')), /^the metric p90, or another of mean p50 .* behind service\. lag\. /);
  for (const name of ['goodput', 'unreachable', 'errors'])
    assert.match(String(judged('zzz<1')), new RegExp(`\\b${name}\\b`));
  assert.match(String(judged('constructor<1s')), /metric/);
  assert.match(String(judged('p99<800')), /compared with a duration such as 250ms/);
  assert.match(String(judged('goodput>2')), /a share such as 0.95 or 95%/);
  assert.match(String(judged('goodput>95/s')), /a share/);
  assert.match(String(judged('rate>95')), /a rate such as 100\/s/);
  assert.match(String(judged('p99==1s')), /a claim such as/);
});

test('every metric can be spoken of', () => {
  const values = { ms: '1s', share: '50%', 'per second': '1/s', count: '2' };
  for (const [name, { unit }] of Object.entries(metrics))
    assert.equal(typeof judged(`${name}<${values[unit]}`), 'boolean', name);
});

test('the exit code names the gravest thing: unreachable, invalid, failed, passed', () => {
  const claims = (...texts: string[]): Summary =>
    withAssertions(
      run,
      texts.map((text) => {
        const parsed = parseAssertion(text);
        assert.ok('assertion' in parsed);
        return parsed.assertion;
      }),
    );
  const passed = claims('p99<1s');
  const failed = claims('p99<1s', 'p99<1ms');
  const invalid = summaryOf([record({ sentAtMs: 100, endedAtMs: 200 })]);
  const unreachable = summaryOf([record({ outcome: 'unreachable' })]);
  assert.deepEqual(failed.asserts, [
    { text: 'p99<1s', unit: 'ms', value: 100, isMet: true },
    { text: 'p99<1ms', unit: 'ms', value: 100, isMet: false },
  ]);
  assert.equal(exitCodeOf([passed]), 0);
  assert.equal(exitCodeOf([passed, failed]), 1);
  assert.equal(exitCodeOf([failed, invalid]), 3);
  assert.equal(exitCodeOf([invalid, unreachable]), 4);
  assert.equal(exitCodeOf([summaryOf([record({ outcome: 'unreachable' }), record()])]), 0);
});
