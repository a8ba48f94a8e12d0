import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from '../../gateway/settings/faults.ts';
import { loadSettings } from '../../gateway/settings/load.ts';
import { wrongBackends, wrongPrecautions, wrongReplicas } from './backend-fault-rows.ts';
import { misfits, unreadable } from './meaning-fault-rows.ts';
import { protocolMisfits } from './protocol-fault-rows.ts';
import { unknownKeys, wrongKinds } from './shape-fault-rows.ts';
import { faultsOf, fileName, least, load, withBackend, withReplica, withTop } from './yaml.ts';

test('the configuration that the rows add faults to is valid itself', () => {
  assert.deepEqual(faultsOf(least), []);
});

for (const [yaml, told] of [
  ...unknownKeys,
  ...wrongKinds,
  ...wrongBackends,
  ...wrongReplicas,
  ...wrongPrecautions,
  ...misfits,
  ...protocolMisfits,
  ...unreadable,
]) {
  test(`one fault is told: ${told}`, () => {
    assert.deepEqual(faultsOf(yaml), [`${fileName}:${told}`]);
  });
}

test('ten different faults are all told, in the order of their places', () => {
  const text = `telemetry: { log: loud }
routes:
  - { match: { model: 5 }, to: [{ backend: digit }] }
  - { to: [{ backend: digits }], deadline: 2 }
backends:
  - name: digits
    polcy: p2c
    protocol: open-inference
    models: [m, m]
    replicas:
      - { url: http://h:1, slots: 0 }
      - { url: ftp://h:2 }
    queue: { max: -1 }
listen: { port: 70000 }
admin: { host: 0.0.0.0 }
`;
  assert.deepEqual(
    faultsOf(text).map((fault) => fault.replace(/: got .*/, '')),
    [
      'gateway.yaml:1:19: telemetry.log',
      'gateway.yaml:3:23: routes[0].match.model',
      'gateway.yaml:3:44: routes[0].to[0].backend',
      'gateway.yaml:4:44: routes[1].deadline',
      'gateway.yaml:7:5: backends[0].polcy',
      'gateway.yaml:9:17: backends[0].models[1]',
      'gateway.yaml:11:35: backends[0].replicas[0].slots',
      'gateway.yaml:12:16: backends[0].replicas[1].url',
      'gateway.yaml:13:19: backends[0].queue.max',
      'gateway.yaml:14:17: listen.port',
      'gateway.yaml:15:16: admin.host',
    ],
  );
});

test('what must be there and is faulty does not hide what is wrong elsewhere', () => {
  const text = `backends:
  - { name: "a b", protocol: grpc, models: [], replicas: [~, { id: x, url: "ftp://h" }] }
  - { name: b, protocol: open-inference, models: [m, m], replicas: [] }
  - { name: b, protocol: open-inference, models: [5], replicas: [{ id: x, url: "http://h:1" }, { id: x, url: "http://h:2" }] }
  -
routes:
  - { to: [c, { backend: 5 }] }
  -
admin: { host: 0.0.0.0 }
`;
  assert.deepEqual(
    faultsOf(text).map((fault) => fault.replace(/: got .*/, '')),
    [
      'gateway.yaml:2:13: backends[0].name',
      'gateway.yaml:2:30: backends[0].protocol',
      'gateway.yaml:2:44: backends[0].models',
      'gateway.yaml:2:59: backends[0].replicas[0]',
      'gateway.yaml:2:76: backends[0].replicas[1].url',
      'gateway.yaml:3:54: backends[1].models[1]',
      'gateway.yaml:3:68: backends[1].replicas',
      'gateway.yaml:4:13: backends[2].name',
      'gateway.yaml:4:51: backends[2].models[0]',
      'gateway.yaml:4:102: backends[2].replicas[1].id',
      'gateway.yaml:5:4: backends[3]',
      'gateway.yaml:7:12: routes[0].to[0]',
      'gateway.yaml:7:26: routes[0].to[1].backend',
      'gateway.yaml:8:4: routes[1]',
      'gateway.yaml:9:16: admin.host',
    ],
  );
});

test('a reference to a backend whose name is faulty is not judged', () => {
  assert.equal(faultsOf(`${least.replace('name: a', 'name: 5')}routes: [{ to: [{ backend: a }] }]\n`).length, 1);
});

test('two backends may serve one model as far as a faulty route tells', () => {
  const other = '  - { name: b, protocol: open-inference, models: [m], replicas: [{ url: "http://h:2" }] }\n';
  assert.deepEqual(
    faultsOf(`${least}${other}routes: [{ to: [{ backend: c }] }]\n`).map((fault) => fault.replace(/: got .*/, '')),
    ['gateway.yaml:8:28: routes[0].to[0].backend'],
  );
});

test('two backends may serve one model as far as a faulty mirror tells', () => {
  const other = '  - { name: bb, protocol: open-inference, models: [m], replicas: [{ url: "http://h:2" }] }\n';
  const third = '  - { name: cc, protocol: open-inference, models: [n], replicas: [{ url: "http://h:3" }] }\n';
  assert.deepEqual(
    faultsOf(`${least}${other}${third}routes: [{ to: [{ backend: cc }], mirror: { backend: b } }]\n`).map((fault) =>
      fault.replace(/: got .*/, ''),
    ),
    ['gateway.yaml:9:54: routes[0].mirror.backend'],
  );
});

test('a backend whose protocol is faulty speaks none that its route could miss', () => {
  const other = '  - { name: b, protocol: openai, models: [m], replicas: [{ url: "http://h:2" }] }\n';
  assert.deepEqual(
    faultsOf(
      `${least.replace('open-inference', 'grpc')}${other}routes: [{ to: [{ backend: a }], fallback: [b] }]\n`,
    ).map((fault) => fault.replace(/: got .*/, '')),
    ['gateway.yaml:3:15: backends[0].protocol'],
  );
});

test('a hedge is not compared with the timeout of a protocol that is faulty', () => {
  const text = `${least.replace('open-inference', 'grpc')}    hedge: { after: 40s }\n`;
  assert.deepEqual(
    faultsOf(text).map((fault) => fault.replace(/: got .*/, '')),
    ['gateway.yaml:3:15: backends[0].protocol'],
  );
});

test('of times that depend on each other one that is faulty is not compared', () => {
  for (const [faulty, other] of [
    ['breaker: { eject: 30d, eject_max: 1s }', 'breaker.eject'],
    ['timeouts: { first_byte: 30 }\n    hedge: { after: 40s }', 'timeouts.first_byte'],
  ] as const)
    assert.deepEqual(
      faultsOf(withBackend(faulty)).map((fault) => fault.replace(/^.*backends\[0\]\.|: got .*/g, '')),
      [other],
    );
});

test('the text of the error is one line for each fault', () => {
  const text = withTop('listen: { port: -1, drain: 5 }');
  assert.throws(() => load(text), { name: 'ConfigError', message: faultsOf(text).join('\n') });
  assert.equal(faultsOf(text).length, 2);
});

test('a fault says where and what apart, for programs that read it', () => {
  assert.throws(
    () => load(withReplica('slots: 0')),
    (error) => {
      assert.ok(error instanceof ConfigError);
      assert.deepEqual(error.faults, [
        {
          file: fileName,
          line: 7,
          column: 16,
          path: ['backends', 0, 'replicas', 0, 'slots'],
          got: '0',
          wanted: 'a whole number from 1 to 1000000',
        },
      ]);
      return true;
    },
  );
});

test('a file that is not there is a fault at its beginning', () => {
  assert.throws(() => loadSettings('nowhere.yaml', {}), {
    name: 'ConfigError',
    message: 'nowhere.yaml:1:1: got no text (ENOENT), wanted a file that can be read',
  });
});

test('every unset variable is told, and one fault of syntax does not hide another', () => {
  assert.deepEqual(faultsOf(withTop(`listen: { host: "\${A}-\${B}" }\nadmin: { host: "\${C}" }`)), [
    `gateway.yaml:7:17: got \${A}, which is not set, wanted the environment variable A, or a default: \${A:-...}`,
    `gateway.yaml:7:17: got \${B}, which is not set, wanted the environment variable B, or a default: \${B:-...}`,
    `gateway.yaml:8:16: got \${C}, which is not set, wanted the environment variable C, or a default: \${C:-...}`,
  ]);
  assert.equal(faultsOf(withTop('listen: { port: 1, port: 2 }\nadmin: { port: 1, port: 2 }')).length, 2);
});

test('an unset variable hides no other fault, and is told once', () => {
  const text = `${withReplica(`slots: "\${SLOTS}"`)}listen: { port: -1 }\nadmin: { host: 0.0.0.0, token: "\${TOKEN}" }\n`;
  assert.deepEqual(faultsOf(text), [
    `gateway.yaml:7:16: got \${SLOTS}, which is not set, wanted the environment variable SLOTS, or a default: \${SLOTS:-...}`,
    'gateway.yaml:8:17: listen.port: got -1, wanted a whole number from 0 to 65535',
    `gateway.yaml:9:32: got \${TOKEN}, which is not set, wanted the environment variable TOKEN, or a default: \${TOKEN:-...}`,
  ]);
});

test('what was left out because it is faulty is not missed as well', () => {
  const text = least.replace('http://h:1', '8101');
  assert.deepEqual(
    faultsOf(text).filter((fault) => fault.includes('neither url nor worker')),
    [],
  );
});

test('a token that is faulty is not missed as well', () => {
  const told = faultsOf(withTop('admin: { host: 0.0.0.0, token: 5 }'));
  assert.deepEqual(told, ['gateway.yaml:7:32: admin.token: got a secret that does not fit, wanted a text']);
});

test('a token whose file cannot be read is not missed as well', () => {
  const told = faultsOf(withTop('admin: { host: 0.0.0.0, token_file: nowhere }'));
  assert.deepEqual(told, [
    'gateway.yaml:7:37: admin.token_file: got "nowhere" (ENOENT), wanted a file that can be read',
  ]);
});

test('an empty list where a text belongs is told once', () => {
  assert.deepEqual(faultsOf(withTop('admin: { host: [] }')), [
    'gateway.yaml:7:16: admin.host: got a list, wanted a host name or address',
  ]);
});

test('a weight above the largest is told what the largest is', () => {
  assert.match(faultsOf(withReplica('weight: 2000000')).join(), /got 2000000, wanted .*1000000$/);
});

test('a number that JSON cannot write is not told as null', () => {
  assert.doesNotMatch(faultsOf(withReplica('weight: .inf')).join(), /got null/);
  assert.equal(faultsOf(withReplica('weight: .nan')).length, 1);
});

test('a health check without a pause is refused', () => {
  assert.equal(faultsOf(withBackend('health: { every: 0s }')).length, 1);
});

test('a pause longer than timers can hold is refused, since they would not pause at all', () => {
  assert.equal(faultsOf(withBackend('health: { every: 30d }')).length, 1);
});

test('of very many faults the first hundred are told and the others counted, in a time that grows with the text alone', () => {
  const keys = (count: number): string => Array.from({ length: count }, (_, n) => `  key${n}: 1\n`).join('');
  const manyMs = msOf(() => assert.equal(faultsOf(withTop(`listen:\n${keys(2_000)}`)).length, 101));
  const told: string[] = [];
  const veryManyMs = msOf(() => told.push(...faultsOf(withTop(`listen:\n${keys(20_000)}`))));
  assert.match(told[0] ?? '', /^gateway\.yaml:8:3: listen\.key0: got the unknown key key0/);
  assert.match(told[99] ?? '', /^gateway\.yaml:107:3: listen\.key99: /);
  assert.equal(told[100], 'and 19900 more');
  // Ten times the text: where every fault or key looks at all of it again, a hundred times as long.
  assert.ok(veryManyMs < 40 * manyMs, `${veryManyMs} ms against ${manyMs} ms`);
});

test('what does not fit together is counted in the same way', () => {
  const told = faultsOf(least.replace('models: [m]', `models: [${'m, '.repeat(150)}m]`));
  assert.equal(told.length, 101);
  assert.equal(told[100], 'and 50 more');
});

function msOf(call: () => void): number {
  const startedAtMs = performance.now();
  call();
  return performance.now() - startedAtMs;
}
