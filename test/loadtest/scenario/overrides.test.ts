import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planOf } from '../../../loadtest/arrivals/plan.ts';
import { quickScenario } from '../../../loadtest/scenario/load.ts';
import { type Overrides, withOverrides } from '../../../loadtest/scenario/overrides.ts';
import type { Scenario } from '../../../loadtest/scenario/scenario.ts';
import { azureLike } from '../synthetic-trace.ts';
import { least, leastTensors, load, withTop } from './yaml.ts';

/** An option, what it makes of the least, and how that is seen. */
const effects: readonly (readonly [Overrides, (scenario: Scenario) => unknown, unknown])[] = [
  [
    { url: 'https://other/prefix/' },
    ({ targets }) => targets.map(({ name, url, model }) => [name, url, model]),
    [['other:443', 'https://other/prefix', 'm']],
  ],
  [{ compare: 'http://b:2' }, ({ targets }) => targets.map(({ name }) => name), ['h:1', 'b:2']],
  [{ url: 'http://a:3', compare: 'http://b:2' }, ({ targets }) => targets.map(({ name }) => name), ['a:3', 'b:2']],
  [{ compare: 'http://h:1' }, ({ targets }) => targets.map(({ name }) => name), ['h:1', 'h:1-b']],
  [{ protocol: 'open-inference' }, ({ targets }) => targets[0]?.protocol, 'open-inference'],
  [{ model: 'n' }, ({ targets }) => targets[0]?.model, 'n'],
  [{ rate: '200/s' }, ({ arrivals }) => arrivals.kind === 'open' && arrivals.segments[0]?.toPerSecond, 200],
  [{ rate: '200/s' }, ({ arrivals }) => arrivals.kind === 'open' && arrivals.burstiness, 1],
  [{ for: '30s' }, ({ forMs }) => forMs, 30_000],
  [{ seed: '9' }, ({ seed }) => seed, 9],
  [
    { slo: ['ttft=500ms', 'latency=2s'] },
    ({ slos }) => [slos.timeToFirstTokenMs, slos.latencyMs, slos.interTokenMs],
    [500, 2000, null],
  ],
  [{ slo: ['itl=50ms', 'tpot=40ms'] }, ({ slos }) => [slos.interTokenMs, slos.timePerOutputTokenMs], [50, 40]],
  [{ assert: ['goodput>0.95'] }, ({ asserts }) => asserts, ['goodput>0.95']],
];

for (const [overrides, see, seen] of effects) {
  test(`${JSON.stringify(overrides)} has its effect, and none on the scenario it is taken to`, () => {
    const scenario = load(least);
    const before = structuredClone(scenario);
    assert.deepEqual(see(withOverrides(scenario, overrides)), seen);
    assert.notDeepEqual(see(scenario), seen === 1 ? 0 : seen);
    assert.deepEqual(scenario, before);
  });
}

const duration = 'wanted a duration such as 250ms, 30s or 5m';
const url = 'wanted an http or https URL without a query and without a name in front of its host';

const refused: readonly (readonly [Overrides, string])[] = [
  [{ url: 'h:1' }, `--url: got "h:1", ${url}`],
  [{ url: 'http://me:secret@h' }, `--url: got a text that may hold a credential, ${url}`],
  [{ compare: 'ftp://h' }, `--compare: got "ftp://h", ${url}`],
  [{ protocol: 'grpc' }, '--protocol: got "grpc", wanted one of openai, open-inference'],
  [{ model: '' }, '--model: got "", wanted the name of a model'],
  [{ rate: '200' }, '--rate: got "200", wanted a rate such as 200/s or 30/m'],
  [{ rate: '0/s' }, '--rate: got "0/s", wanted a rate above 0, up to 10000000/s'],
  [{ for: '30' }, `--for: got "30", ${duration}`],
  [{ for: '0s' }, '--for: got "0s", wanted a duration from 1ms to 24d'],
  [{ seed: 'x' }, '--seed: got "x", wanted a whole number from 0'],
  [{ seed: '-1' }, '--seed: got "-1", wanted a whole number from 0'],
  [{ slo: ['ttft'] }, '--slo: got "ttft", wanted one of latency, ttft, itl, tpot with a duration, such as ttft=500ms'],
  [
    { slo: ['p99=1s'] },
    '--slo: got "p99=1s", wanted one of latency, ttft, itl, tpot with a duration, such as ttft=500ms',
  ],
  [{ slo: ['ttft=500'] }, `--slo: got "500", ${duration}`],
  [{ assert: ['p99'] }, '--assert: got "p99", wanted a claim such as p99<800ms, goodput>0.95 or errors<0.1%'],
];

for (const [overrides, told] of refused) {
  test(`${JSON.stringify(overrides)} is refused`, () => {
    assert.throws(() => withOverrides(load(least), overrides), { name: 'OverrideError', message: told });
  });
}

test('all options that cannot be used are told at once', () => {
  assert.throws(() => withOverrides(load(least), { rate: 'x', for: 'y' }), {
    message: `--rate: got "x", wanted a rate such as 200/s or 30/m\n--for: got "y", ${duration}`,
  });
});

test('a rate does not fit arrivals that have none of their own', () => {
  for (const [arrivals, told] of [
    ['kind: closed, concurrency: 1', '--rate: got a rate for a closed loop, wanted none: there answers set the pace'],
    [
      'kind: ramp, from: 1/s, to: 2/s',
      '--rate: got a rate for arrivals whose rate changes, wanted none, or arrivals of another kind',
    ],
    [
      'kind: step, steps: [{ rate: 1/s, for: 1s }, { rate: 2/s, for: 1s }]',
      '--rate: got a rate for arrivals whose rate changes, wanted none, or arrivals of another kind',
    ],
    ['kind: trace, file: t.csv', '--rate: got a rate for a trace that is one instant, wanted none'],
  ] as const) {
    const scenario = load(withTop(`arrivals: { ${arrivals} }`));
    assert.throws(() => withOverrides(scenario, { rate: '5/s' }), { message: told });
  }
});

test('a rate for a trace makes it as fast as it takes', () => {
  const yaml = `${least.replace('for: 10s\n', '')}arrivals: { kind: trace, file: t.csv, limit: 500 }\n`;
  const scenario = withOverrides(load(yaml, { 't.csv': azureLike(1000) }), { rate: '100/s' });
  const [target] = scenario.targets;
  assert.ok(target);
  const last = [...planOf(scenario, target)].at(-1);
  assert.equal(last?.index, 499);
  assert.ok(Math.abs((last.index / last.plannedAtMs) * 1000 - 100) < 1e-9);
});

test('a time that its warm-up fills is refused, and so is a protocol that payloads are not made in', () => {
  assert.throws(() => withOverrides(load(withTop('warm_up: 5s')), { for: '5s' }), {
    message: '--for: got 5s, wanted more than warm_up, which is 5 s',
  });
  const prefixes = load(withTop('payloads: { kind: prefix, groups: 1, prefix_tokens: 5 }'));
  assert.throws(() => withOverrides(prefixes, { protocol: 'open-inference' }), {
    message: '--protocol: got open-inference, wanted openai: prefix payloads have tokens',
  });
});

test('a ramp over the whole run takes the time that the command line gives', () => {
  const scenario = withOverrides(load(withTop('arrivals: { kind: ramp, from: 0/s, to: 100/s, burstiness: even }')), {
    for: '4s',
  });
  const [target] = scenario.targets;
  assert.ok(target);
  assert.equal([...planOf(scenario, target)].length, 200);
});

test('without a file there is a scenario for what `npm start` serves, and options make it another', () => {
  const quick = quickScenario();
  assert.deepEqual(
    [quick.targets[0]?.url, quick.targets[0]?.model, quick.forMs, quick.arrivals],
    ['http://127.0.0.1:8080', 'digits', 10_000, load(leastTensors).arrivals],
  );
  const other = withOverrides(quick, { url: 'http://h:1', protocol: 'openai', model: 'm', rate: '5/s', for: '2s' });
  const [target] = other.targets;
  assert.ok(target);
  const [request] = planOf(other, target);
  assert.equal(request?.payload.path, '/v1/chat/completions');
});
