import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadScenario } from '../../../loadtest/scenario/load.ts';
import { scenarioJsonSchema } from '../../../loadtest/scenario/schema.ts';
import { assertNone } from '../../conventions/assert-none.ts';
import { schemaKeys } from '../../conventions/config-keys.ts';
import { misfits, replaying, wrongServers, wrongTraces } from './meaning-fault-rows.ts';
import { wrongPayloads } from './payload-fault-rows.ts';
import { unknownKeys, wrongArrivals, wrongClients, wrongTargets, wrongTops } from './shape-fault-rows.ts';
import { faultsOf, fileName, least, leastTensors, withTop } from './yaml.ts';

const wrongValues = [...wrongTops, ...wrongTargets, ...wrongArrivals, ...wrongPayloads, ...wrongClients];

test('the scenarios that the rows add faults to are valid themselves', () => {
  assert.deepEqual(faultsOf(least), []);
  assert.deepEqual(faultsOf(leastTensors), []);
});

for (const [yaml, told] of [...unknownKeys, ...wrongValues, ...misfits, ...wrongServers]) {
  test(`one fault is told: ${told}`, () => {
    assert.deepEqual(faultsOf(yaml), [`${fileName}:${told}`]);
  });
}

test('every key has a row with a value of the wrong type, and one for each bound', () => {
  const judged = wrongValues.map(([, told]) => told.replace(/^\d+:\d+: (\S+):.*/, '$1').replaceAll(/\[\d+\]/g, '[]'));
  // What is within simulated servers and faults is their own matter.
  const keys = schemaKeys(scenarioJsonSchema()).filter(({ path }) => !/^(servers|faults)\[\]/.test(path));
  assertNone(
    keys.map(({ path }) => path).filter((path) => !judged.some((one) => one === path || one === `${path}[]`)),
    'a key of the schema stands in a row',
  );
});

for (const [trace, told] of wrongTraces) {
  test(`a trace that is not what it should be is told with its line: ${told}`, () => {
    assert.deepEqual(faultsOf(...replaying(trace)), [`${fileName}:5:32: arrivals.file: ${told}`]);
  });
}

test('a trace that is not there is told where it is named', () => {
  assert.deepEqual(faultsOf(withTop('arrivals: { kind: trace, file: gone.csv }\npayloads: { kind: trace }')), [
    'scenario.yaml:6:32: arrivals.file: got "gone.csv" (ENOENT), wanted a file that can be read',
  ]);
  assert.deepEqual(faultsOf(withTop('payloads: { kind: trace, file: gone.csv }')), [
    'scenario.yaml:6:32: payloads.file: got "gone.csv" (ENOENT), wanted a file that can be read',
  ]);
});

test('a trace in a file whose ending says no format is told', () => {
  assert.deepEqual(faultsOf(withTop('arrivals: { kind: trace, file: t.txt }'), { 't.txt': '' }), [
    'scenario.yaml:6:32: arrivals.file: got "t.txt" with a file called t.txt in line 1, wanted one that ends in .csv or .jsonl',
  ]);
});

test('a scenario that is not there is a fault at its beginning', () => {
  assert.throws(() => loadScenario('nowhere.yaml', {}), {
    name: 'ConfigError',
    message: 'nowhere.yaml:1:1: got no text (ENOENT), wanted a file that can be read',
  });
});

test('faults in many places are all told, in the order of their places', () => {
  const text = `seed: -1
arrivals: { kind: poison, rate: 1/s }
targets:
  - { url: ftp://h, protocol: openai, model: m }
  - { protocol: grpc, model: m }
payloads: { kind: zipf }
asserts: [p99]
`;
  assert.deepEqual(
    faultsOf(text).map((fault) => fault.replace(/: got .*/, '')),
    [
      'scenario.yaml:1:7: seed',
      'scenario.yaml:2:19: arrivals.kind',
      'scenario.yaml:4:12: targets[0].url',
      'scenario.yaml:5:5: targets[1].url',
      'scenario.yaml:5:17: targets[1].protocol',
      'scenario.yaml:6:11: payloads.keys',
      'scenario.yaml:7:11: asserts[0]',
    ],
  );
});
