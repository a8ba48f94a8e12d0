import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ConfigError } from '../../../gateway/settings/faults.ts';
import { OverrideError } from '../../../loadtest/scenario/overrides.ts';
import { readGateways } from '../../../loadtest/simulate/gateways.ts';
import { fileWith } from '../../commands/headgate.ts';
import { scenarioOf } from '../../support/simulations.ts';

const scenario = scenarioOf(`
for: 1s
targets:
  - { name: now, url: "http://gateway:8080", protocol: open-inference, model: m }
  - { name: then, url: "http://gateway:8090", protocol: open-inference, model: m }
  - { name: bare, url: "http://localhost:8101", protocol: open-inference, model: m }
servers:
  - { name: a, port: 8101, kind: tensor }
  - { name: b, port: 8102, kind: tensor }
`);

function configOf(context: TestContext, replica: string, name = 'gateway.yaml'): string {
  const yaml = `backends:\n  - name: pool\n    protocol: open-inference\n    models: [m]\n    replicas:\n      - ${replica}\n`;
  return fileWith(context, yaml, name);
}

const atA = '{ id: a, url: "http://127.0.0.1:8101" }';
const idsOf = (gateways: ReturnType<typeof readGateways>): unknown =>
  [...gateways].map(([name, { backends }]) => [name, backends[0]?.replicas[0]?.id]);

test('a configuration stands before every target that is no server, but for one that has its own', (context) => {
  const all = configOf(context, atA);
  const own = configOf(context, '{ id: b, url: "http://localhost:8102/" }', 'own=odd.yaml');
  assert.deepEqual(idsOf(readGateways([all], scenario)), [
    ['now', 'a'],
    ['then', 'a'],
  ]);
  for (const configs of [
    [all, `then=${own}`],
    [`then=${own}`, all],
  ])
    assert.deepEqual(new Map(idsOf(readGateways(configs, scenario)) as [string, string][]).get('then'), 'b');
  assert.deepEqual(idsOf(readGateways([own], scenario)), [
    ['now', 'b'],
    ['then', 'b'],
  ]);
});

for (const [replica, wanted] of [
  [
    '{ id: c, url: "http://127.0.0.1:8103" }',
    /backends\[0\]\.replicas\[0\]\.url: got "http:\/\/127\.0\.0\.1:8103", wanted the url of a server of the scenario: http:\/\/127\.0\.0\.1:8101 \(a\), http:\/\/127\.0\.0\.1:8102 \(b\)/,
  ],
  [
    '{ id: c, url: "http://triton-a:8101" }',
    /replicas\[0\]\.url: got "http:\/\/triton-a:8101", wanted the url of a server/,
  ],
  ['{ id: c, url: "unix:/run/w.sock" }', /replicas\[0\]\.url: got "unix:\/run\/w\.sock", wanted the url of a server/],
  [
    '{ worker: { models: [digits] } }',
    /replicas\[0\]\.worker: got bundled workers, which compute, wanted the url of a server/,
  ],
] as const)
  test(`a replica that is no server of the scenario is a fault at its place: ${replica}`, (context) => {
    const file = configOf(context, replica);
    assert.throws(
      () => readGateways([file], scenario),
      (error: Error) => {
        assert.ok(error instanceof ConfigError);
        assert.match(error.message, wanted);
        assert.match(error.message, new RegExp(`^\\S+${join('', 'gateway.yaml')}:6:\\d+: `));
        return true;
      },
    );
  });

for (const [claim, configs, of, wanted] of [
  [
    'a target without its gateway',
    ['now=gateway.yaml'],
    scenario,
    /--config: got none for target then at http:\/\/gateway:8090/,
  ],
  [
    'a gateway before a server',
    ['bare=gateway.yaml'],
    scenario,
    /--config: got "bare=gateway\.yaml", wanted a target that is no simulated server itself: now, then/,
  ],
  [
    'a gateway before nothing',
    ['gateway.yaml'],
    { ...scenario, targets: scenario.targets.slice(2) },
    /wanted none: every target is a simulated server itself/,
  ],
  ['a scenario without servers', ['gateway.yaml'], { ...scenario, servers: [] }, /^servers: got none/],
] as const)
  test(`${claim} is a misuse`, () => {
    assert.throws(
      () => readGateways(configs, of),
      (error: Error) => error instanceof OverrideError && wanted.test(error.message),
    );
  });
