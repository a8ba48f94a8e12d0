import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import type {
  BackendSettings,
  RedisSettings,
  ReplicaSettings,
  RouteCacheSettings,
  RouteSettings,
  Settings,
} from '../../gateway/settings/settings.ts';
import { assertNone } from '../conventions/assert-none.ts';
import { schemaKeys } from '../conventions/config-keys.ts';
import { least, load, withBackend, withReplica, withTop } from './yaml.ts';

/** A key, a configuration that has it, and what it makes of the settings. */
type Effect = readonly [key: string, yaml: string, read: (settings: Settings) => unknown, becomes: unknown];

const backend = ({ backends: [first] }: Settings): BackendSettings | undefined => first;
const replica = (settings: Settings): ReplicaSettings | undefined => backend(settings)?.replicas[0];
const route = ({ routes: [first] }: Settings): RouteSettings | undefined => first;
const replicaAt =
  (field: string) =>
  (settings: Settings): unknown =>
    Object(replica(settings)?.at)[field];

const withWorker = (keys: string): string => least.replace('url: http://h:1', `worker: { models: [m, n]${keys} }`);
const withTls = (keys: string): string => `${least.replace('http:', 'https:')}        tls: { ${keys} }\n`;
const withRoute = (keys: string): string => withTop(`routes: [{ to: [{ backend: a, weight: 7 }], ${keys} }]`);
const withMatch = (keys: string): string => withRoute(`match: { ${keys} }`);

const withScrape = (keys: string): string => withBackend(`load: { scrape: { ${keys} } }`);

const withAffinity = (keys: string): string => withBackend(`affinity: { ${keys} }`).replace('open-inference', 'openai');

const withCache = (more: string): string => withRoute(`cache: { fresh: 1m${more} }`);

const second = `backends:\n  - { name: b, protocol: open-inference, models: [n], replicas: [{ url: "http://h:2" }] }\n`;
const withSecond = (keys: string): string => withRoute(keys).replace(/^backends:\n/, second);

/** Any file will do where a key names one. */
const file = import.meta.filename;

const effects: readonly Effect[] = [
  ['listen.host', withTop('listen: { host: "::1" }'), (one) => one.listen.host, '::1'],
  ['listen.port', withTop('listen: { port: 1 }'), (one) => one.listen.port, 1],
  ['listen.max_body', withTop('listen: { max_body: 1KiB }'), (one) => one.listen.maxBodyBytes, 1024],
  ['listen.max_buffered', withTop('listen: { max_buffered: 1GiB }'), (one) => one.listen.maxBufferedBytes, 1024 ** 3],
  ['listen.drain', withTop('listen: { drain: 0s }'), (one) => one.listen.drainMs, 0],
  ['listen.grace', withTop('listen: { grace: 0s }'), (one) => one.listen.graceMs, 0],
  ['listen.reuse_port', withTop('listen: { reuse_port: true }'), (one) => one.listen.reusePort, true],
  ['listen.zone', withTop('listen: { zone: edge }'), (one) => one.listen.zone, 'edge'],
  ['admin.host', withTop('admin: { host: localhost }'), (one) => one.admin.host, 'localhost'],
  ['admin.port', withTop('admin: { port: 0 }'), (one) => one.admin.port, 0],
  ['admin.token', withTop('admin: { token: t }'), (one) => one.admin.token, 't'],
  ['admin.token_file', withTop(`admin: { token_file: ${file} }`), (one) => one.admin.token !== null, true],
  ['backends[].name', least.replace('name: a', 'name: b'), (one) => backend(one)?.name, 'b'],
  ['backends[].protocol', least.replace('open-inference', 'openai'), (one) => backend(one)?.protocol, 'openai'],
  ['backends[].models[].name', least.replace('[m]', '[{ name: n, upstream: u }]'), nameOfModel, 'n'],
  ['backends[].models[].upstream', least.replace('[m]', '[{ name: m, upstream: u }]'), upstreamOfModel, 'u'],
  ['backends[].policy', withBackend('policy: p2c'), (one) => backend(one)?.policy, 'p2c'],
  ['backends[].replicas[].id', withReplica('id: x'), (one) => replica(one)?.id, 'x'],
  ['backends[].replicas[].url', least.replace('h:1', 'h:2/p'), replicaAt('basePath'), '/p'],
  ['backends[].replicas[].worker.models', withWorker(''), replicaAt('models'), ['m', 'n']],
  ['backends[].replicas[].worker.count', withWorker(', count: 3'), (one) => backend(one)?.replicas.length, 3],
  ['backends[].replicas[].worker.threads', withWorker(', threads: 3'), replicaAt('threads'), 3],
  ['backends[].replicas[].worker.folder', withWorker(', folder: f'), replicaAt('folder'), resolve('f')],
  ['backends[].replicas[].slots', withReplica('slots: 3'), (one) => replica(one)?.slots, 3],
  ['backends[].replicas[].weight', withReplica('weight: 0.5'), (one) => replica(one)?.weight, 0.5],
  ['backends[].replicas[].zone', `${withReplica('zone: x')}listen: { zone: y }\n`, (one) => replica(one)?.zone, 'x'],
  ['backends[].replicas[].headers', withReplica('headers: { X-A: b }'), (one) => replica(one)?.headers, { 'x-a': 'b' }],
  ['backends[].replicas[].tls.ca_file', withTls(`ca_file: ${file}`), (one) => replica(one)?.caPem !== null, true],
  ['backends[].replicas[].tls.server_name', withTls('server_name: s'), (one) => replica(one)?.serverName, 's'],
  ['backends[].queue.max', withBackend('queue: { max: 0 }'), (one) => backend(one)?.queue.maxLength, 0],
  ['backends[].queue.wait', withBackend('queue: { wait: 0s }'), (one) => backend(one)?.queue.waitMs, 0],
  ['backends[].timeouts.connect', withBackend('timeouts: { connect: 1ms }'), timeout('connectMs'), 1],
  ['backends[].timeouts.first_byte', withBackend('timeouts: { first_byte: 1ms }'), timeout('firstByteMs'), 1],
  ['backends[].timeouts.idle', withBackend('timeouts: { idle: 1ms }'), timeout('idleMs'), 1],
  ['backends[].timeouts.total', withBackend('timeouts: { total: 24d }'), timeout('totalMs'), 2_073_600_000],
  ['backends[].health.path', withBackend('health: { path: /up }'), health('path'), '/up'],
  ['backends[].health.every', withBackend('health: { every: 1m }'), health('everyMs'), 60_000],
  ['backends[].health.timeout', withBackend('health: { timeout: 2s }'), health('timeoutMs'), 2000],
  ['backends[].health.unhealthy', withBackend('health: { unhealthy: 1 }'), health('failuresToUnready'), 1],
  ['backends[].health.healthy', withBackend('health: { healthy: 1 }'), health('successesToReady'), 1],
  ['backends[].load.report', withBackend('load: { report: false }'), (one) => backend(one)?.wantsReports, false],
  ['backends[].load.scrape.dialect', withScrape('dialect: tgi'), scrape('dialect'), 'tgi'],
  ['backends[].load.scrape.path', withScrape('dialect: tgi, path: /m'), scrape('path'), '/m'],
  ['backends[].load.scrape.port', withScrape('dialect: tgi, port: 8002'), scrape('port'), 8002],
  ['backends[].load.scrape.every', withScrape('dialect: tgi, every: 1s'), scrape('everyMs'), 1000],
  ['backends[].affinity.by', withAffinity('by: prefix'), affinity('by'), { kind: 'prefix' }],
  ['backends[].affinity.bound', withAffinity('by: prefix, bound: 2'), affinity('bound'), 2],
  [
    'backends[].affinity.header',
    withAffinity('by: session, header: X-S'),
    affinity('by'),
    { kind: 'header', name: 'x-s' },
  ],
  [
    'backends[].affinity.field',
    withAffinity('by: session, field: user'),
    affinity('by'),
    { kind: 'field', name: 'user' },
  ],
  ['backends[].breaker.consecutive', withBackend('breaker: { consecutive: 1 }'), breaker('consecutiveFailures'), 1],
  ['backends[].breaker.success_below', withBackend('breaker: { success_below: 0% }'), breaker('successShareBelow'), 0],
  ['backends[].breaker.window', withBackend('breaker: { window: 1m }'), breaker('windowMs'), 60_000],
  ['backends[].breaker.min_requests', withBackend('breaker: { min_requests: 1 }'), breaker('minRequests'), 1],
  ['backends[].breaker.eject', withBackend('breaker: { eject: 1s }'), breaker('ejectMs'), 1000],
  ['backends[].breaker.eject_max', withBackend('breaker: { eject_max: 5s }'), breaker('ejectMaxMs'), 5000],
  ['backends[].breaker.slow_start', withBackend('breaker: { slow_start: 0s }'), breaker('slowStartMs'), 0],
  ['backends[].retry.tries', withBackend('retry: { tries: 1 }'), retry('maxTries'), 1],
  ['backends[].retry.budget', withBackend('retry: { budget: 0% }'), retry('budgetShare'), 0],
  ['backends[].retry.floor', withBackend('retry: { floor: 0/s }'), retry('floorPerSecond'), 0],
  ['backends[].retry.idempotent', withBackend('retry: { idempotent: false }'), retry('isIdempotent'), false],
  ['backends[].hedge.after', withBackend('hedge: { after: 20ms }'), hedge('after'), { kind: 'delay', delayMs: 20 }],
  ['backends[].hedge.budget', withBackend('hedge: { budget: 1% }'), hedge('budgetShare'), 0.01],
  ['backends[].hold_first_chunk', withBackend('hold_first_chunk: true'), (one) => backend(one)?.holdsFirstChunk, true],
  ['routes[].match.model', withMatch('model: "m*"'), (one) => route(one)?.model, 'm*'],
  ['routes[].match.tenant', withMatch('tenant: anonymous'), (one) => route(one)?.tenant, 'anonymous'],
  ['routes[].match.path', withMatch('path: "/v2/*"'), (one) => route(one)?.path, '/v2/*'],
  ['routes[].match.header', withMatch('header: { X-A: b }'), (one) => route(one)?.headers, { 'x-a': 'b' }],
  ['routes[].to[].backend', withRoute(''), (one) => route(one)?.destinations[0]?.backend, 'a'],
  ['routes[].to[].weight', withRoute(''), (one) => route(one)?.destinations[0]?.weight, 7],
  ['routes[].fallback', withSecond('fallback: [b]'), (one) => route(one)?.fallbacks, ['b']],
  ['routes[].mirror.backend', withSecond('mirror: { backend: b }'), (one) => route(one)?.mirror?.backend, 'b'],
  ['routes[].mirror.share', withSecond('mirror: { backend: b, share: 5% }'), (one) => route(one)?.mirror?.share, 0.05],
  ['routes[].cache.fresh', withCache(''), routeCache('freshMs'), 60_000],
  [
    'routes[].cache.stale_while_revalidate',
    withCache(', stale_while_revalidate: 2s'),
    routeCache('staleWhileRevalidateMs'),
    2000,
  ],
  ['routes[].cache.stale_if_error', withCache(', stale_if_error: 1h'), routeCache('staleIfErrorMs'), 3_600_000],
  ['routes[].cache.share', withCache(', share: everyone'), routeCache('isForEveryone'), true],
  ['routes[].cache.revision', withCache(', revision: "2"'), routeCache('revision'), '2'],
  ['routes[].cache.sampled', withCache(', sampled: true'), routeCache('isForSampled'), true],
  ['routes[].coalesce', withRoute('coalesce: true'), (one) => route(one)?.isCoalescing, true],
  ['routes[].deadline', withRoute('deadline: 2s'), (one) => route(one)?.deadlineMs, 2000],
  ['cache.memory', withTop('cache: { memory: 2MiB }'), (one) => one.cache.memoryBytes, 2 * 1024 ** 2],
  ['cache.max_entry', withTop('cache: { max_entry: 1KiB }'), (one) => one.cache.maxEntryBytes, 1024],
  ['cache.redis', withTop('cache: { redis: "redis://h:1/2" }'), redis('urls'), ['redis://h:1/2']],
  ['cache.cluster', withTop('cache: { redis: "redis://h", cluster: true }'), redis('isCluster'), true],
  ['cache.wait', withTop('cache: { wait: 1ms }'), (one) => one.cache.waitMs, 1],
  ['cache.prefix', withTop('cache: { prefix: "p:" }'), (one) => one.cache.prefix, 'p:'],
  ['telemetry.log', withTop('telemetry: { log: silent }'), (one) => one.telemetry.logLevel, 'silent'],
];

function nameOfModel(settings: Settings): unknown {
  return backend(settings)?.models[0]?.name;
}

function upstreamOfModel(settings: Settings): unknown {
  return backend(settings)?.models[0]?.upstream;
}

function timeout(field: keyof BackendSettings['timeouts']) {
  return (settings: Settings): unknown => backend(settings)?.timeouts[field];
}

function health(field: keyof BackendSettings['health']) {
  return (settings: Settings): unknown => backend(settings)?.health[field];
}

function scrape(field: keyof NonNullable<BackendSettings['scrape']>) {
  return (settings: Settings): unknown => backend(settings)?.scrape?.[field];
}

function breaker(field: keyof BackendSettings['breaker']) {
  return (settings: Settings): unknown => backend(settings)?.breaker[field];
}

function retry(field: keyof BackendSettings['retry']) {
  return (settings: Settings): unknown => backend(settings)?.retry[field];
}

function affinity(field: 'by' | 'bound') {
  return (settings: Settings): unknown => backend(settings)?.affinity?.[field];
}

function hedge(field: 'after' | 'budgetShare') {
  return (settings: Settings): unknown => backend(settings)?.hedge?.[field];
}

function routeCache(field: keyof RouteCacheSettings) {
  return (settings: Settings): unknown => route(settings)?.cache?.[field];
}

function redis(field: keyof RedisSettings) {
  return ({ cache }: Settings): unknown => cache.redis?.[field];
}

for (const [key, yaml, read, becomes] of effects) {
  test(`${key} makes a difference to the settings, and the one it should`, () => {
    assert.deepEqual(read(load(yaml)), becomes);
    assert.notDeepEqual(read(load(least)), becomes);
  });
}

test('every key of the schema has its effect in the table', () => {
  const shown = new Set(effects.map(([key]) => key));
  assertNone(
    schemaKeys().flatMap(({ path, isLeaf }) => (isLeaf && !shown.has(path) ? [path] : [])),
    'a key that changes no settings is parsed and ignored',
  );
});
