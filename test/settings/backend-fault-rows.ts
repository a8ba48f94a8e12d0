import { dialectNames, policyNames, protocolNames } from '../../gateway/settings/backend-schema.ts';
import type { FaultRow } from './shape-fault-rows.ts';
import { least, withBackend, withReplica } from './yaml.ts';

const duration = 'wanted a duration such as 250ms, 30s or 5m';
const period = 'wanted a duration from 1ms to 24d';
const dialect = `wanted one of ${dialectNames.join(', ')}`;
const withScrape = (keys: string): string => withBackend(`load: { scrape: { dialect: vllm, ${keys} } }`);
// A new policy or protocol must not need a new row.
const policies = `wanted one of ${policyNames.join(', ')}`;
const protocols = `wanted one of ${protocolNames.join(', ')}`;
const replica = 'backends[0].replicas[0]';
const slots = 'wanted a whole number from 1 to 1000000';
const oneReplica = 'replicas:\n      - url: http://h:1';

/** The least without one of its lines. */
const without = (line: number): string =>
  least
    .split('\n')
    .filter((_, at) => at !== line - 1)
    .join('\n');

/** The least, with bundled workers instead of a url; the text begins at column 17 of line 6. */
const withWorker = (worker: string): string => least.replace('url: http://h:1', `worker: ${worker}`);

/** What is wrong within one backend. */
export const wrongBackends: readonly FaultRow[] = [
  [least.replace('name: a\n    ', ''), '2:5: backends[0].name: got nothing, wanted a name'],
  [without(3), `2:5: backends[0].protocol: got nothing, ${protocols}`],
  [without(4), '2:5: backends[0].models: got nothing, wanted a list of models'],
  [least.split('\n').slice(0, 4).join('\n'), '2:5: backends[0].replicas: got nothing, wanted a list of replicas'],
  [
    least.replace('name: a', 'name: a b'),
    '2:11: backends[0].name: got "a b", wanted a name of letters, digits, dots, dashes and underscores',
  ],
  [least.replace('name: a', 'name: ""'), '2:11: backends[0].name: got "", wanted a name'],
  [least.replace('name: a', 'name: 7'), '2:11: backends[0].name: got 7, wanted a name'],
  [least.replace('open-inference', 'grpc'), `3:15: backends[0].protocol: got "grpc", ${protocols}`],
  [least.replace('[m]', 'm'), '4:13: backends[0].models: got "m", wanted a list of models'],
  [least.replace('[m]', '[]'), '4:13: backends[0].models: got a list, wanted at least one model'],
  [
    least.replace('[m]', '[m, ~]'),
    '4:17: backends[0].models[1]: got null, wanted a model name, or a mapping with name and upstream',
  ],
  [least.replace('[m]', '[""]'), '4:14: backends[0].models[0]: got "", wanted a model name, * for any characters'],
  [least.replace('[m]', '[{ name: m }]'), '4:14: backends[0].models[0].upstream: got nothing, wanted a model name'],
  [
    least.replace('[m]', '[{ name: m, upstream: 5 }]'),
    '4:35: backends[0].models[0].upstream: got 5, wanted a model name',
  ],
  [withBackend('policy: fastest'), `7:13: backends[0].policy: got "fastest", ${policies}`],
  [withBackend('policy: [p2c]'), `7:13: backends[0].policy: got a list, ${policies}`],
  [withBackend('queue:'), '7:11: backends[0].queue: got null, wanted a mapping with max, wait'],
  [withBackend('queue: { max: -1 }'), '7:19: backends[0].queue.max: got -1, wanted a whole number from 0'],
  [withBackend('queue: { wait: 1h30m }'), `7:20: backends[0].queue.wait: got "1h30m", ${duration}`],
  [withBackend('queue: { wait: 25d }'), '7:20: backends[0].queue.wait: got "25d", wanted a duration up to 24d'],
  [withBackend('timeouts: { connect: 0s }'), `7:26: backends[0].timeouts.connect: got "0s", ${period}`],
  [withBackend('timeouts: { first_byte: 0s }'), `7:29: backends[0].timeouts.first_byte: got "0s", ${period}`],
  [withBackend('timeouts: { idle: 0.5ms }'), `7:23: backends[0].timeouts.idle: got "0.5ms", ${period}`],
  [withBackend('timeouts: { total: 25d }'), `7:24: backends[0].timeouts.total: got "25d", ${period}, or none`],
  [withBackend('timeouts: { connect: 1 s }'), `7:26: backends[0].timeouts.connect: got "1 s", ${duration}`],
  [withBackend('timeouts: { first_byte: -1s }'), `7:29: backends[0].timeouts.first_byte: got "-1s", ${duration}`],
  [withBackend('timeouts: { idle: 1e3ms }'), `7:23: backends[0].timeouts.idle: got "1e3ms", ${duration}`],
  [withBackend('timeouts: { total: never }'), `7:24: backends[0].timeouts.total: got "never", ${period}, or none`],
  [
    withBackend('health: { path: ready }'),
    '7:21: backends[0].health.path: got "ready", wanted a path that begins with /',
  ],
  [withBackend('health: { every: 5 }'), `7:22: backends[0].health.every: got 5, ${duration}`],
  [withBackend('health: { every: 0s }'), `7:22: backends[0].health.every: got "0s", ${period}`],
  [withBackend('health: { every: 24.9d }'), `7:22: backends[0].health.every: got "24.9d", ${period}`],
  [withBackend('health: { timeout: 0ms }'), `7:24: backends[0].health.timeout: got "0ms", ${period}`],
  [withBackend('health: { timeout: {} }'), `7:24: backends[0].health.timeout: got a mapping, ${duration}`],
  [
    withBackend('health: { unhealthy: 0 }'),
    '7:26: backends[0].health.unhealthy: got 0, wanted a whole number from 1 to 1000',
  ],
  [
    withBackend('health: { healthy: 1001 }'),
    '7:24: backends[0].health.healthy: got 1001, wanted a whole number from 1 to 1000',
  ],
  [withBackend('load: true'), '7:11: backends[0].load: got true, wanted a mapping with report, scrape'],
  [withBackend('load: { report: yes }'), '7:21: backends[0].load.report: got "yes", wanted true or false'],
  [
    withBackend('load: { scrape: true }'),
    '7:21: backends[0].load.scrape: got true, wanted a mapping with dialect, path, port, every',
  ],
  [withBackend('load: { scrape: {} }'), `7:21: backends[0].load.scrape.dialect: got nothing, ${dialect}`],
  [
    withBackend('load: { scrape: { dialect: llama-cpp } }'),
    `7:32: backends[0].load.scrape.dialect: got "llama-cpp", ${dialect}`,
  ],
  [withScrape('path: metrics'), '7:44: backends[0].load.scrape.path: got "metrics", wanted a path that begins with /'],
  [withScrape('port: 0'), '7:44: backends[0].load.scrape.port: got 0, wanted a whole number from 1 to 65535'],
  [withScrape('every: 0s'), `7:45: backends[0].load.scrape.every: got "0s", ${period}`],
  [withBackend('hold_first_chunk: 1'), '7:23: backends[0].hold_first_chunk: got 1, wanted true or false'],
];

const share = 'wanted a share such as 5% or 0.1%';
const patience = 'wanted a quantile from p50 to p99.9, or a duration from 1ms to 24d';

/** What is wrong with what a backend does about failures. */
export const wrongPrecautions: readonly FaultRow[] = [
  [
    withBackend('breaker: false'),
    '7:14: backends[0].breaker: got false, wanted a mapping with consecutive, success_below, window, min_requests, ...',
  ],
  [
    withBackend('breaker: { consecutive: 0 }'),
    '7:29: backends[0].breaker.consecutive: got 0, wanted a whole number from 1',
  ],
  [withBackend('breaker: { success_below: 0.8 }'), `7:31: backends[0].breaker.success_below: got 0.8, ${share}`],
  [
    withBackend('breaker: { success_below: 101% }'),
    '7:31: backends[0].breaker.success_below: got "101%", wanted a share from 0% to 100%',
  ],
  [withBackend('breaker: { window: 0s }'), `7:24: backends[0].breaker.window: got "0s", ${period}`],
  [
    withBackend('breaker: { min_requests: 1.5 }'),
    '7:30: backends[0].breaker.min_requests: got 1.5, wanted a whole number from 1',
  ],
  [withBackend('breaker: { eject: 0s }'), `7:23: backends[0].breaker.eject: got "0s", ${period}`],
  [withBackend('breaker: { eject_max: none }'), `7:27: backends[0].breaker.eject_max: got "none", ${duration}`],
  [withBackend('breaker: { slow_start: 0 }'), `7:28: backends[0].breaker.slow_start: got 0, ${duration}`],
  [withBackend('retry: { tries: 0 }'), '7:21: backends[0].retry.tries: got 0, wanted a whole number from 1 to 10'],
  [withBackend('retry: { tries: 11 }'), '7:21: backends[0].retry.tries: got 11, wanted a whole number from 1 to 10'],
  [withBackend('retry: { budget: 20 }'), `7:22: backends[0].retry.budget: got 20, ${share}`],
  [withBackend('retry: { floor: 3 }'), '7:21: backends[0].retry.floor: got 3, wanted a rate such as 200/s or 30/m'],
  [
    withBackend('retry: { idempotent: maybe }'),
    '7:26: backends[0].retry.idempotent: got "maybe", wanted true or false',
  ],
  [withBackend('hedge: p95'), '7:12: backends[0].hedge: got "p95", wanted a mapping with after, budget'],
  [
    withBackend('hedge: { delay: 5ms }'),
    '7:14: backends[0].hedge.delay: got the unknown key delay, wanted one of the keys after, budget',
  ],
  [withBackend('hedge: { budget: 5 }'), `7:22: backends[0].hedge.budget: got 5, ${share}`],
  ...['p49', 'p100', 'p99.95', '0s', '25d', 'never'].map(
    (after): FaultRow => [
      withBackend(`hedge: { after: ${after} }`),
      `7:21: backends[0].hedge.after: got "${after}", ${patience}`,
    ],
  ),
  [withBackend('hedge: { after: 95 }'), `7:21: backends[0].hedge.after: got 95, ${patience}`],
];

/** What is wrong within one replica. */
export const wrongReplicas: readonly FaultRow[] = [
  [least.replace(oneReplica, 'replicas: []'), '5:15: backends[0].replicas: got a list, wanted at least one replica'],
  [least.replace(oneReplica, 'replicas: {}'), '5:15: backends[0].replicas: got a mapping, wanted a list of replicas'],
  [
    least.replace('- url: http://h:1', '-'),
    `6:8: ${replica}: got null, wanted a mapping with id, url, worker, slots, ...`,
  ],
  [
    least.replace('http://h:1', '8101'),
    `6:14: ${replica}.url: got 8101, wanted a URL such as http://127.0.0.1:8101 or unix:/run/worker.sock`,
  ],
  [withReplica('id: ""'), `7:13: ${replica}.id: got "", wanted a name`],
  [withReplica('id: a/b'), `7:13: ${replica}.id: got "a/b", wanted a name without spaces and slashes`],
  [withReplica('slots: 0'), `7:16: ${replica}.slots: got 0, ${slots}`],
  [withReplica('slots: 1.5'), `7:16: ${replica}.slots: got 1.5, ${slots}`],
  [withReplica('slots:'), `7:15: ${replica}.slots: got null, ${slots}`],
  [withReplica('weight: 0'), `7:17: ${replica}.weight: got 0, wanted a number above 0`],
  [withReplica('weight: 1e7'), `7:17: ${replica}.weight: got 10000000, wanted a number up to 1000000`],
  [withReplica('weight: .inf'), `7:17: ${replica}.weight: got Infinity, wanted a number above 0`],
  [withReplica('weight: .nan'), `7:17: ${replica}.weight: got NaN, wanted a number above 0`],
  [withReplica('weight: heavy'), `7:17: ${replica}.weight: got "heavy", wanted a number above 0`],
  [withReplica('headers: [a]'), `7:18: ${replica}.headers: got a list, wanted a mapping of header names to values`],
  [withReplica('headers: { x-a: 5 }'), `7:25: ${replica}.headers.x-a: got a secret that does not fit, wanted a text`],
  [withReplica('headers: { x-a: {} }'), `7:25: ${replica}.headers.x-a: got a mapping, wanted a text`],
  [withReplica('tls:'), `7:13: ${replica}.tls: got null, wanted a mapping with ca_file, server_name`],
  [withReplica('tls: { server_name: 5 }'), `7:29: ${replica}.tls.server_name: got 5, wanted a host name`],
  [withReplica('tls: { ca_file: "" }'), `7:25: ${replica}.tls.ca_file: got "", wanted the path of a PEM file`],
  [withWorker('m'), `6:17: ${replica}.worker: got "m", wanted a mapping with models, count, threads, folder`],
  [withWorker('{ count: 2 }'), `6:17: ${replica}.worker.models: got nothing, wanted a list of model names`],
  [withWorker('{ models: [] }'), `6:27: ${replica}.worker.models: got a list, wanted at least one model`],
  [
    withWorker('{ models: [m], count: 300 }'),
    `6:39: ${replica}.worker.count: got 300, wanted a whole number from 1 to 256`,
  ],
  [
    withWorker('{ models: [m], threads: many }'),
    `6:41: ${replica}.worker.threads: got "many", wanted a whole number from 1 to 1024`,
  ],
  [
    withWorker('{ models: [m], folder: 5 }'),
    `6:40: ${replica}.worker.folder: got 5, wanted the path of a folder with models`,
  ],
];
