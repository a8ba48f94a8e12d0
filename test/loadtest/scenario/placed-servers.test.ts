import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placedServersOf, serverSeedOf } from '../../../loadtest/scenario/placed-servers.ts';
import { scenarioOf } from '../../support/simulations.ts';

test('a fault befalls the server that it names, behind its own, or all where it names none', () => {
  const scenario = scenarioOf(`
for: 1s
targets: [{ url: "http://127.0.0.1:8101", protocol: open-inference, model: m }]
servers:
  - { name: a, port: 8101, kind: tensor, faults: [{ kind: pause, for: 1s }] }
  - { name: b, port: 8102, kind: tensor }
faults: [{ kind: hang, server: a }, { kind: fail }]`);
  assert.deepEqual(
    placedServersOf(scenario).map(({ name, faults }) => [name, faults.map(({ kind }) => kind)]),
    [
      ['a', ['pause', 'hang', 'fail']],
      ['b', ['fail']],
    ],
  );
});

test('servers of a run and of its repetitions share no chance, nor that of their faults, and get the same again', () => {
  const seeds: number[] = [];
  for (let seed = 1; seed <= 100; seed++)
    for (let at = 0; at < 8; at++) seeds.push(serverSeedOf(seed, at), serverSeedOf(seed, at) + 1);
  assert.equal(new Set(seeds).size, seeds.length);
  assert.equal(serverSeedOf(5, 2), serverSeedOf(5, 2));
});
