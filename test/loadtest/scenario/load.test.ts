import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadScenario } from '../../../loadtest/scenario/load.ts';
import type { Scenario } from '../../../loadtest/scenario/scenario.ts';
import { scenarioJsonSchema } from '../../../loadtest/scenario/schema.ts';
import { assertNone } from '../../conventions/assert-none.ts';
import { schemaKeys } from '../../conventions/config-keys.ts';
import { azureLike } from '../synthetic-trace.ts';
import { least, leastTensors, load, withTarget, withTop } from './yaml.ts';

test('what is not said is as the schema has it', () => {
  const { arrivals, payloads, clients, slos, ...rest } = load(least);
  assert.deepEqual(rest, {
    name: 'loadtest',
    seed: 1,
    targets: [{ name: 'h:1', url: 'http://h:1', protocol: 'openai', model: 'm', headers: {} }],
    forMs: 10_000,
    requests: null,
    warmUpMs: 0,
    servers: [],
    faults: [],
    asserts: [],
  });
  assert.deepEqual(arrivals, {
    kind: 'open',
    burstiness: 1,
    segments: [{ fromPerSecond: 10, toPerSecond: 10, forMs: null }],
  });
  assert.deepEqual(payloads, {
    choice: { kind: 'unique' },
    chat: {
      promptTokens: { kind: 'fixed', count: 256 },
      outputTokens: { kind: 'fixed', count: 64 },
      isStreaming: true,
      includesUsage: true,
      ignoresEnd: false,
      temperature: null,
    },
    tensor: { name: 'image', datatype: 'FP32', shape: [64], rows: { kind: 'fixed', count: 1 } },
  });
  assert.deepEqual(clients, { cancel: null, slow: null, timeoutMs: 120_000, connections: null, processes: 1 });
  assert.deepEqual(slos, { latencyMs: null, timeToFirstTokenMs: null, interTokenMs: null, timePerOutputTokenMs: null });
});

/** A key, a scenario that has it, and what it makes of the scenario. */
type Effect = readonly [key: string, yaml: string, read: (scenario: Scenario) => unknown, becomes: unknown];

const arrivals = ({ arrivals: one }: Scenario): unknown => one;
const choice = ({ payloads }: Scenario): unknown => payloads.choice;
const inArrivals = (text: string): string => withTop(`arrivals: { ${text} }`);
const inChat = (text: string): string => withTop(`payloads: { kind: same, chat: { ${text} } }`);
const inTensor = (text: string): string => `${leastTensors}payloads: { kind: same, tensor: { ${text} } }\n`;
const ramp = 'kind: ramp, from: 1/s, to: 2/s';
const rise = { fromPerSecond: 1, toPerSecond: 2, forMs: null };

const effects: readonly Effect[] = [
  ['name', withTop('name: a-b'), ({ name }) => name, 'a-b'],
  ['seed', withTop('seed: 5'), ({ seed }) => seed, 5],
  ['for', least.replace('10s', '5m'), ({ forMs }) => forMs, 300_000],
  ['requests', withTop('requests: 9'), ({ requests }) => requests, 9],
  ['warm_up', withTop('warm_up: 2s'), ({ warmUpMs }) => warmUpMs, 2000],
  ['targets[].name', withTarget('name: t'), ({ targets }) => targets[0]?.name, 't'],
  ['targets[].url', least.replace('http://h:1', 'https://h/a/'), ({ targets }) => targets[0]?.url, 'https://h/a'],
  ['targets[].protocol', leastTensors, ({ targets }) => targets[0]?.protocol, 'open-inference'],
  ['targets[].model', least.replace('model: m', 'model: n'), ({ targets }) => targets[0]?.model, 'n'],
  ['targets[].headers', withTarget('headers: { X-A: b }'), ({ targets }) => targets[0]?.headers, { 'x-a': 'b' }],
  ['arrivals.kind', inArrivals('kind: closed, concurrency: 3'), arrivals, { kind: 'closed', concurrency: 3 }],
  ['arrivals.concurrency', inArrivals('kind: closed, concurrency: 4'), arrivals, { kind: 'closed', concurrency: 4 }],
  [
    'arrivals.rate',
    inArrivals('kind: constant, rate: 60/m'),
    arrivals,
    { kind: 'open', burstiness: 'even', segments: [{ fromPerSecond: 1, toPerSecond: 1, forMs: null }] },
  ],
  [
    'arrivals.burstiness',
    inArrivals(`${ramp}, burstiness: 3`),
    arrivals,
    { kind: 'open', burstiness: 3, segments: [rise] },
  ],
  [
    'arrivals.from',
    inArrivals('kind: ramp, from: 5/s, to: 2/s'),
    arrivals,
    { kind: 'open', burstiness: 1, segments: [{ ...rise, fromPerSecond: 5 }] },
  ],
  ['arrivals.to', inArrivals(ramp), arrivals, { kind: 'open', burstiness: 1, segments: [rise] }],
  [
    'arrivals.over',
    inArrivals(`${ramp}, over: 3s`),
    arrivals,
    {
      kind: 'open',
      burstiness: 1,
      segments: [
        { ...rise, forMs: 3000 },
        { ...rise, fromPerSecond: 2 },
      ],
    },
  ],
  [
    'arrivals.steps',
    inArrivals('kind: step, steps: [{ rate: 1/s, for: 2s }]'),
    arrivals,
    { kind: 'open', burstiness: 1, segments: [{ fromPerSecond: 1, toPerSecond: 1, forMs: 2000 }] },
  ],
  [
    'arrivals.file',
    inArrivals('kind: trace, file: t.csv'),
    (one) => one.arrivals.kind === 'trace' && one.arrivals.trace.size,
    1,
  ],
  [
    'arrivals.speed',
    inArrivals('kind: trace, file: t.csv, speed: 2.5'),
    (one) => one.arrivals.kind === 'trace' && one.arrivals.speed,
    2.5,
  ],
  [
    'arrivals.limit',
    inArrivals('kind: trace, file: t.csv, limit: 7'),
    (one) => one.arrivals.kind === 'trace' && one.arrivals.limit,
    7,
  ],
  ['payloads.kind', withTop('payloads: { kind: same }'), choice, { kind: 'same' }],
  ['payloads.s', withTop('payloads: { kind: zipf, s: 2, keys: 5 }'), choice, { kind: 'zipf', exponent: 2, keys: 5 }],
  ['payloads.keys', withTop('payloads: { kind: zipf, keys: 5 }'), choice, { kind: 'zipf', exponent: 1, keys: 5 }],
  [
    'payloads.groups',
    withTop('payloads: { kind: prefix, groups: 3, prefix_tokens: 9 }'),
    choice,
    { kind: 'prefix', groups: 3, prefixTokens: 9 },
  ],
  [
    'payloads.prefix_tokens',
    withTop('payloads: { kind: prefix, groups: 3, prefix_tokens: 8 }'),
    choice,
    { kind: 'prefix', groups: 3, prefixTokens: 8 },
  ],
  [
    'payloads.file',
    withTop('payloads: { kind: trace, file: t.csv }'),
    ({ payloads }) => payloads.choice.kind === 'trace' && payloads.choice.trace.file,
    't.csv',
  ],
  [
    'payloads.chat.prompt_tokens',
    inChat('prompt_tokens: 5'),
    ({ payloads }) => payloads.chat.promptTokens,
    { kind: 'fixed', count: 5 },
  ],
  [
    'payloads.chat.output_tokens',
    inChat('output_tokens: { kind: uniform, from: 1, to: 2 }'),
    ({ payloads }) => payloads.chat.outputTokens,
    { kind: 'uniform', from: 1, to: 2 },
  ],
  ['payloads.chat.stream', inChat('stream: false'), ({ payloads }) => payloads.chat.isStreaming, false],
  ['payloads.chat.usage', inChat('usage: false'), ({ payloads }) => payloads.chat.includesUsage, false],
  ['payloads.chat.ignore_eos', inChat('ignore_eos: true'), ({ payloads }) => payloads.chat.ignoresEnd, true],
  ['payloads.chat.temperature', inChat('temperature: 0.5'), ({ payloads }) => payloads.chat.temperature, 0.5],
  ['payloads.tensor.name', inTensor('name: x'), ({ payloads }) => payloads.tensor.name, 'x'],
  ['payloads.tensor.datatype', inTensor('datatype: INT8'), ({ payloads }) => payloads.tensor.datatype, 'INT8'],
  ['payloads.tensor.shape', inTensor('shape: [2, 3]'), ({ payloads }) => payloads.tensor.shape, [2, 3]],
  [
    'payloads.tensor.rows',
    inTensor('rows: { kind: lognormal, mean: 4, variation: 2, most: 9 }'),
    ({ payloads }) => payloads.tensor.rows,
    { kind: 'lognormal', mean: 4, variation: 2, most: 9 },
  ],
  [
    'clients.cancel',
    withTop('clients: { cancel: { share: 5%, after: 1s } }'),
    ({ clients }) => clients.cancel,
    { share: 0.05, afterMs: 1000 },
  ],
  [
    'clients.slow',
    withTop('clients: { slow: { share: 5%, rate: 1KiB/s } }'),
    ({ clients }) => clients.slow,
    { share: 0.05, bytesPerSecond: 1024 },
  ],
  ['clients.timeout', withTop('clients: { timeout: 3s }'), ({ clients }) => clients.timeoutMs, 3000],
  ['clients.connections', withTop('clients: { connections: 3 }'), ({ clients }) => clients.connections, 3],
  ['clients.processes', withTop('clients: { processes: 3 }'), ({ clients }) => clients.processes, 3],
  ['slos.latency', withTop('slos: { latency: 3s }'), ({ slos }) => slos.latencyMs, 3000],
  ['slos.ttft', withTop('slos: { ttft: 3s }'), ({ slos }) => slos.timeToFirstTokenMs, 3000],
  ['slos.itl', withTop('slos: { itl: 3s }'), ({ slos }) => slos.interTokenMs, 3000],
  ['slos.tpot', withTop('slos: { tpot: 3s }'), ({ slos }) => slos.timePerOutputTokenMs, 3000],
  [
    'servers',
    withTop('servers: [{ kind: tensor, port: 1 }]'),
    ({ servers }) => servers.map(({ kind }) => kind),
    ['tensor'],
  ],
  [
    'faults',
    withTop('servers: [{ kind: llm, port: 1, name: a }]\nfaults: [{ kind: pause, at: 5s, server: a }]'),
    ({ faults }) => faults.map(({ server, atMs }) => [server, atMs]),
    [['a', 5000]],
  ],
  ['asserts', withTop('asserts: [p99<1s]'), ({ asserts }) => asserts, ['p99<1s']],
];

for (const [key, yaml, read, becomes] of effects) {
  test(`${key} has an effect: ${yaml.split('\n').at(-2)}`, () => {
    assert.deepEqual(read(load(yaml)), becomes);
    if (yaml !== leastTensors)
      assert.notDeepEqual(read(load(yaml.startsWith(leastTensors) ? leastTensors : least)), becomes);
  });
}

test('every key of the schema is among the effects', () => {
  const keys = schemaKeys(scenarioJsonSchema()).map(({ path }) => path);
  const seen = effects.map(([key]) => key);
  const isSeen = (path: string): boolean =>
    seen.some((key) => key === path || path.startsWith(`${key}.`) || path.startsWith(`${key}[]`));
  const parts = ['targets', 'arrivals', 'payloads', 'payloads.chat', 'payloads.tensor', 'clients', 'slos'];
  assertNone(
    keys.filter((path) => !isSeen(path) && !parts.includes(path) && !/^(servers|faults)\b/.test(path)),
    'a key has a row',
  );
});

test('arrivals that end by themselves need no end', () => {
  const endless = least.replace('for: 10s\n', '');
  const steps = load(`${endless}arrivals: { kind: step, steps: [{ rate: 1/s, for: 2s }, { rate: 2/s, for: 3s }] }\n`);
  assert.deepEqual([steps.forMs, steps.requests], [5000, null]);
  const replay = load(`${endless}arrivals: { kind: trace, file: t.csv }\n`);
  assert.deepEqual([replay.forMs, replay.requests], [null, 1]);
});

test('a trace may be larger than what somebody writes by hand', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-trace-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'large.csv'), azureLike(30_000));
  const file = join(folder, 'scenario.yaml');
  writeFileSync(file, withTop('arrivals: { kind: trace, file: large.csv }'));
  const { arrivals } = loadScenario(file, {});
  assert.ok(statSync(join(folder, 'large.csv')).size > 1024 * 1024);
  assert.equal(arrivals.kind === 'trace' && arrivals.trace.size, 30_000);
});

test('a scenario is frozen, and can be printed without the rows of its traces', () => {
  const scenario = load(withTop('arrivals: { kind: trace, file: t.csv }\npayloads: { kind: trace }'));
  assert.ok(
    Object.isFrozen(scenario) && Object.isFrozen(scenario.targets[0]) && Object.isFrozen(scenario.payloads.chat),
  );
  assert.match(JSON.stringify(scenario), /"trace":\{"file":"t.csv"\}/);
});

test('numbers may come from the environment, also where a mapping could stand', () => {
  const { seed, payloads } = load(
    withTop('seed: "$' + '{SEED:-7}"\npayloads: { kind: same, chat: { prompt_tokens: "$' + '{TOKENS:-9}" } }'),
  );
  assert.deepEqual([seed, payloads.chat.promptTokens], [7, { kind: 'fixed', count: 9 }]);
});
