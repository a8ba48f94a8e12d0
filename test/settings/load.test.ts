import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadSettings } from '../../gateway/settings/load.ts';
import { type ReplicaSettings, routedBackends, type Settings } from '../../gateway/settings/settings.ts';
import { faultsOf, least, load, withBackend, withReplica, withTop } from './yaml.ts';

const everyKey = join(import.meta.dirname, '..', '..', 'config', 'gateway.yaml');

/** The settings of a file in a folder of its own, with the files it names. */
function loadFile(context: TestContext, text: string, beside: Readonly<Record<string, string>>): Settings {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-settings-'));
  context.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'secrets'));
  for (const [name, content] of Object.entries(beside)) writeFileSync(join(folder, name), content);
  writeFileSync(join(folder, 'gateway.yaml'), text);
  return loadSettings(join(folder, 'gateway.yaml'), {});
}

function onlyReplica(settings: Settings): ReplicaSettings | undefined {
  return settings.backends[0]?.replicas[0];
}

/** The ids of the replicas that a list of entries stands for. */
function idsOf(...entries: readonly string[]): string[] {
  const text = least.replace('- url: http://h:1', entries.map((entry) => `- ${entry}`).join('\n      '));
  return load(text).backends[0]?.replicas.map((replica) => replica.id) ?? [];
}

test('what is not written has the defaults that the contract names', () => {
  assert.deepEqual(load(least), {
    listen: {
      host: '127.0.0.1',
      port: 8080,
      maxBodyBytes: 16 * 1024 ** 2,
      maxBufferedBytes: 512 * 1024 ** 2,
      drainMs: 30_000,
      graceMs: 2000,
      reusePort: false,
      zone: null,
    },
    admin: { host: '127.0.0.1', port: 9090, token: null },
    backends: [
      {
        name: 'a',
        protocol: 'open-inference',
        models: [{ name: 'm', upstream: null }],
        policy: 'adaptive',
        replicas: [
          {
            id: 'h:1',
            weight: 1,
            slots: null,
            zone: null,
            headers: {},
            caPem: null,
            serverName: null,
            at: { kind: 'url', origin: 'http://h:1', basePath: '', socketPath: null },
          },
        ],
        queue: { maxLength: 1000, waitMs: 10_000 },
        timeouts: {
          connectMs: 1000,
          firstByteMs: 30_000,
          idleMs: 30_000,
          totalMs: 120_000,
          streamTotalMs: Number.POSITIVE_INFINITY,
        },
        health: {
          path: '/v2/health/ready',
          everyMs: 5000,
          timeoutMs: 1000,
          failuresToUnready: 3,
          successesToReady: 2,
          unwellFromStatus: 300,
        },
        wantsReports: true,
        scrape: null,
        affinity: null,
        breaker: {
          consecutiveFailures: 5,
          successShareBelow: 0.8,
          windowMs: 10_000,
          minRequests: 10,
          ejectMs: 5000,
          ejectMaxMs: 300_000,
          slowStartMs: 10_000,
        },
        retry: { maxTries: 3, budgetShare: 0.2, floorPerSecond: 3, isIdempotent: true },
        hedge: null,
        holdsFirstChunk: false,
      },
    ],
    routes: [],
    cache: {
      memoryBytes: 64 * 1024 ** 2,
      maxEntryBytes: 1024 ** 2,
      redis: null,
      waitMs: 50,
      prefix: 'headgate:',
    },
    telemetry: { logLevel: 'info' },
  });
});

test('an empty mapping is as good as an absent one', () => {
  const text = `${least}    queue: {}\n    timeouts: {}\n    health: {}\n    load: {}\n    breaker: {}\n    retry: {}\nlisten: {}\nadmin: {}\nroutes: []\ncache: {}\ntelemetry: {}\n`;
  assert.deepEqual(load(text), load(least));
});

test('an empty hedge is one with the defaults that the contract names', () => {
  assert.deepEqual(load(withBackend('hedge: {}')).backends[0]?.hedge, {
    after: { kind: 'quantile', quantile: 0.95 },
    budgetShare: 0.05,
  });
});

test('a hedge may wait for any time that is over before the first byte must be there', () => {
  const delayOf = (keys: string): unknown => load(`${least}    ${keys}\n`).backends[0]?.hedge?.after;
  assert.deepEqual(delayOf('hedge: { after: 29s }'), { kind: 'delay', delayMs: 29_000 });
  assert.deepEqual(delayOf('hedge: { after: 1ms }\n    timeouts: { first_byte: 2ms }'), { kind: 'delay', delayMs: 1 });
  assert.deepEqual(delayOf('hedge: { after: p99.9 }'), { kind: 'quantile', quantile: 0.999 });
});

test('settings are frozen in every depth', () => {
  const thawed: string[] = [];
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return;
    if (!Object.isFrozen(value)) thawed.push(path);
    for (const [key, member] of Object.entries(value)) walk(member, `${path}.${key}`);
  };
  walk(loadSettings(everyKey, {}), 'settings');
  walk(load(least), 'least');
  assert.deepEqual(thawed, []);
});

test('the environment is that of the process where none is given', (context) => {
  process.env.HEADGATE_ADMIN_TOKEN = 'from the process';
  context.after(() => delete process.env.HEADGATE_ADMIN_TOKEN);
  assert.equal(loadSettings(everyKey).admin.token, 'from the process');
  assert.equal(loadSettings(everyKey, {}).admin.token, null);
});

test('a replica is named after its host and port, or its socket', () => {
  assert.deepEqual(
    idsOf(
      'url: http://h',
      'url: https://h',
      'url: http://[::1]:80/x',
      'url: unix:/run/w.sock',
      'url: unix:///run/v.sock',
    ),
    ['h:80', 'h:443', '[::1]:80', 'w.sock', 'v.sock'],
  );
});

test('workers are numbered through a backend, and after their id where they have one', () => {
  const worker = 'worker: { models: [m], count: 2 }';
  assert.deepEqual(idsOf(worker, 'url: http://h:1', worker), ['worker-1', 'worker-2', 'h:1', 'worker-3', 'worker-4']);
  assert.deepEqual(idsOf(`{ id: cpu, ${worker} }`), ['cpu-1', 'cpu-2']);
  assert.deepEqual(idsOf('{ id: cpu, worker: { models: [m] } }'), ['cpu']);
});

test('a worker has what its entry says', () => {
  const text = least.replace('url: http://h:1', 'worker: { models: [m, n], threads: 3 }');
  assert.deepEqual(onlyReplica(load(text))?.at, { kind: 'worker', models: ['m', 'n'], threads: 3, folder: null });
});

const places = [
  ['http://h:1/', { origin: 'http://h:1', basePath: '', socketPath: null }],
  ['http://H:1/triton/', { origin: 'http://h:1', basePath: '/triton', socketPath: null }],
  ['https://h/a/b', { origin: 'https://h', basePath: '/a/b', socketPath: null }],
  ['unix:/run/w.sock', { origin: 'http://localhost', basePath: '', socketPath: '/run/w.sock' }],
  ['unix:///run/w.sock', { origin: 'http://localhost', basePath: '', socketPath: '/run/w.sock' }],
] as const;

for (const [url, place] of places) {
  test(`${url} leads to ${JSON.stringify(place)}`, () => {
    assert.partialDeepStrictEqual(onlyReplica(load(least.replace('http://h:1', url)))?.at, place);
  });
}

test('files are looked for beside the configuration, and secrets in them lose the space around them', (context) => {
  const text = `${least.replace('http:', 'https:')}        tls: { ca_file: ca.pem }
        headers: { Authorization_file: secrets/key, X-Plain: " as it is " }
admin: { host: 0.0.0.0, token_file: ./secrets/token }
`;
  const settings = loadFile(context, text, { 'ca.pem': 'PEM\n', 'secrets/key': ' Bearer k\n', 'secrets/token': 't\n' });
  assert.equal(settings.admin.token, 't');
  const replica = onlyReplica(settings);
  assert.equal(replica?.caPem, 'PEM\n');
  assert.deepEqual(replica?.headers, { authorization: 'Bearer k', 'x-plain': ' as it is ' });
});

test('the folder of a worker is looked for beside the configuration', (context) => {
  const text = least.replace('url: http://h:1', 'worker: { models: [m], folder: models }');
  const at = onlyReplica(loadFile(context, text, {}))?.at;
  assert.ok(at?.kind === 'worker' && at.folder !== null);
  assert.match(at.folder, /headgate-settings-\w+[\\/]models$/);
});

test('an empty token file is a fault: the port would stand open', (context) => {
  assert.throws(() => loadFile(context, withTop('admin: { token_file: token }'), { token: '\n' }), {
    name: 'ConfigError',
    message: /:7:22: admin\.token_file: /,
  });
});

test('a model may have another name upstream', () => {
  const [backend] = load(least.replace('[m]', '[m, "bert-*", { name: gpt, upstream: Qwen/Qwen3 }]')).backends;
  assert.deepEqual(backend?.models, [
    { name: 'm', upstream: null },
    { name: 'bert-*', upstream: null },
    { name: 'gpt', upstream: 'Qwen/Qwen3' },
  ]);
});

test('routes keep their order, and their header names are in lower case', () => {
  const text = withTop(
    'routes: [{ match: { model: "d*", header: { X-Beta: "1" } }, to: [{ backend: a, weight: 95 }], deadline: 2s }, { to: [{ backend: a }] }]',
  );
  const everything = {
    model: null,
    tenant: null,
    path: null,
    headers: {},
    fallbacks: [],
    mirror: null,
    cache: null,
    isCoalescing: false,
    deadlineMs: null,
  };
  assert.deepEqual(load(text).routes, [
    {
      ...everything,
      model: 'd*',
      headers: { 'x-beta': '1' },
      destinations: [{ backend: 'a', weight: 95 }],
      deadlineMs: 2000,
    },
    { ...everything, destinations: [{ backend: 'a', weight: 1 }] },
  ]);
});

test('two backends may serve one model as soon as a route names one of them', () => {
  const both = `${least}  - { name: b, protocol: open-inference, models: [m], replicas: [{ url: "http://h:2" }] }\n`;
  assert.equal(faultsOf(both).length, 1);
  assert.deepEqual(faultsOf(`${both}routes: [{ to: [{ backend: b }] }]\n`), []);
});

test('a backend that a route only copies to is not one that serves its models by itself', () => {
  const text = `${least}  - { name: b, protocol: open-inference, models: [m], replicas: [{ url: "http://h:2" }] }
  - { name: c, protocol: open-inference, models: [n], replicas: [{ url: "http://h:3" }] }
routes: [{ to: [{ backend: c }], mirror: { backend: b } }]
`;
  const { routes } = load(text);
  assert.deepEqual(routes[0]?.mirror, { backend: 'b', share: 1 });
  assert.deepEqual([...routedBackends(routes)].toSorted(), ['b', 'c']);
});

test('a route may copy to one of its fallbacks', () => {
  const text = `${least}  - { name: b, protocol: open-inference, models: [n], replicas: [{ url: "http://h:2" }] }\n`;
  assert.deepEqual(faultsOf(`${text}routes: [{ to: [{ backend: a }], fallback: [b], mirror: { backend: b } }]\n`), []);
});

test('a header given twice is a fault: one of the two would be ignored', () => {
  assert.equal(faultsOf(withReplica('headers: { X-A: "1", x-a: "2" }')).length, 1);
  assert.equal(faultsOf(withReplica('headers: { x-a: "1", x-a_file: package.json }')).length, 1);
});

test('a header value that HTTP cannot carry is a fault: every request would fail', () => {
  assert.equal(faultsOf(withReplica('headers: { x-a: "\\u65e5" }')).length, 1);
  assert.equal(faultsOf(withReplica('headers: { x-a: "a\\u0001b" }')).length, 1);
});
