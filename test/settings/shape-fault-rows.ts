import { least, withBackend, withReplica, withTop } from './yaml.ts';

/** A configuration with one fault, and what is told of it after `file:`. */
export type FaultRow = readonly [yaml: string, told: string];

/** The least, with bundled workers instead of a url; the text begins at column 17 of line 6. */
const withWorker = (worker: string): string => least.replace('url: http://h:1', `worker: ${worker}`);

/** The least, with one route; its text begins at column 10 of line 7. */
const withRoute = (route: string): string => withTop(`routes: [${route}]`);

const duration = 'wanted a duration such as 250ms, 30s or 5m';
const size = 'wanted a size such as 64KiB, 16MiB or 1GiB';
const root = 'wanted a mapping with listen, admin, backends, routes, ...';
const topKeys = 'one of the keys listen, admin, backends, routes, cache, telemetry';
const listenKeys = 'one of the keys host, port, max_body, max_buffered, drain, grace, reuse_port, zone';

const cacheKeys = 'one of the keys memory, max_entry, redis, cluster, wait, prefix';

export const unknownKeys: readonly FaultRow[] = [
  [withTop('lisen: {}'), '7:1: lisen: got the unknown key lisen, wanted the key listen'],
  [withTop('frontends: []'), `7:1: frontends: got the unknown key frontends, wanted ${topKeys}`],
  [withTop('listen: { prot: 1 }'), '7:11: listen.prot: got the unknown key prot, wanted the key port'],
  [withTop('listen: { colour: 1 }'), `7:11: listen.colour: got the unknown key colour, wanted ${listenKeys}`],
  [withTop('listen: { __proto__: 1 }'), `7:11: listen.__proto__: got the unknown key __proto__, wanted ${listenKeys}`],
  [withTop('admin: { tokens: x }'), '7:10: admin.tokens: got the unknown key tokens, wanted the key token'],
  [
    withTop('admin: { <<: { port: 1 } }'),
    '7:10: admin.<<: got the unknown key <<, wanted one of the keys host, port, token, token_file',
  ],
  [withBackend('polcy: p2c'), '7:5: backends[0].polcy: got the unknown key polcy, wanted the key policy'],
  [withReplica('slot: 4'), '7:9: backends[0].replicas[0].slot: got the unknown key slot, wanted the key slots'],
  [
    withReplica('colour: red'),
    '7:9: backends[0].replicas[0].colour: got the unknown key colour, wanted one of the keys id, url, worker, slots, weight, zone, headers, tls',
  ],
  [
    withReplica('tls: { cafile: x }'),
    '7:16: backends[0].replicas[0].tls.cafile: got the unknown key cafile, wanted the key ca_file',
  ],
  [
    withWorker('{ models: [m], cont: 2 }'),
    '6:32: backends[0].replicas[0].worker.cont: got the unknown key cont, wanted the key count',
  ],
  [
    least.replace('[m]', '[{ name: m, upstream: n, version: 1 }]'),
    '4:38: backends[0].models[0].version: got the unknown key version, wanted one of the keys name, upstream',
  ],
  [
    withBackend('queue: { maximum: 5 }'),
    '7:14: backends[0].queue.maximum: got the unknown key maximum, wanted one of the keys max, wait',
  ],
  [
    withBackend('timeouts: { firstbyte: 5s }'),
    '7:17: backends[0].timeouts.firstbyte: got the unknown key firstbyte, wanted the key first_byte',
  ],
  [
    withBackend('health: { interval: 5s }'),
    '7:15: backends[0].health.interval: got the unknown key interval, wanted one of the keys path, every, timeout, unhealthy, healthy',
  ],
  [
    withBackend('load: { reports: true }'),
    '7:13: backends[0].load.reports: got the unknown key reports, wanted the key report',
  ],
  [
    withTop('telemetry: { level: info }'),
    '7:14: telemetry.level: got the unknown key level, wanted one of the keys log',
  ],
  [
    withRoute('{ to: [{ backend: a }], timeout: 1s }'),
    '7:34: routes[0].timeout: got the unknown key timeout, wanted one of the keys match, to, fallback, mirror, cache, coalesce, deadline',
  ],
  [
    withRoute('{ to: [{ backend: a }], cache: { fresh: 1m, ttl: 1m } }'),
    '7:54: routes[0].cache.ttl: got the unknown key ttl, wanted one of the keys fresh, stale_while_revalidate, stale_if_error, share, revision, sampled',
  ],
  [withTop('cache: { max_size: 1MiB }'), `7:10: cache.max_size: got the unknown key max_size, wanted ${cacheKeys}`],
  [
    withRoute('{ match: { headers: {} }, to: [{ backend: a }] }'),
    '7:21: routes[0].match.headers: got the unknown key headers, wanted the key header',
  ],
  [
    withRoute('{ to: [{ backend: a, wieght: 1 }] }'),
    '7:31: routes[0].to[0].wieght: got the unknown key wieght, wanted the key weight',
  ],
];

export const wrongKinds: readonly FaultRow[] = [
  ['', `1:1: got null, ${root}`],
  ['# nothing yet\n', `1:1: got null, ${root}`],
  ['- a\n', `1:1: got a list, ${root}`],
  ['hello\n', `1:1: got "hello", ${root}`],
  ['listen: {}\n', '1:1: backends: got nothing, wanted a list of backends'],
  ['backends:\n', '1:10: backends: got null, wanted a list of backends'],
  ['backends: {}\n', '1:11: backends: got a mapping, wanted a list of backends'],
  ['backends: []\n', '1:11: backends: got a list, wanted at least one backend'],
  ['backends:\n  -\n', '2:4: backends[0]: got null, wanted a mapping with name, protocol, models, policy, ...'],
  [
    'backends: [digits]\n',
    '1:12: backends[0]: got "digits", wanted a mapping with name, protocol, models, policy, ...',
  ],
  [withTop('listen:'), '7:8: listen: got null, wanted a mapping with host, port, max_body, max_buffered, ...'],
  [withTop('listen: 8080'), '7:9: listen: got 8080, wanted a mapping with host, port, max_body, max_buffered, ...'],
  [withTop('listen: { host: 127 }'), '7:17: listen.host: got 127, wanted a host name or address'],
  [withTop('listen: { host: "" }'), '7:17: listen.host: got "", wanted a host name or address'],
  [withTop('listen: { port: http }'), '7:17: listen.port: got "http", wanted a whole number from 0 to 65535'],
  [withTop('listen: { port: "80" }'), '7:17: listen.port: got "80", wanted a whole number from 0 to 65535'],
  [withTop('listen: { port: 80.5 }'), '7:17: listen.port: got 80.5, wanted a whole number from 0 to 65535'],
  [withTop('listen: { port: 65536 }'), '7:17: listen.port: got 65536, wanted a whole number from 0 to 65535'],
  [withTop('listen: { port: 70000.5 }'), '7:17: listen.port: got 70000.5, wanted a whole number from 0 to 65535'],
  [withTop('listen: { port: -1 }'), '7:17: listen.port: got -1, wanted a whole number from 0 to 65535'],
  [withTop('listen: { max_body: 16MB }'), `7:21: listen.max_body: got "16MB", ${size}`],
  [withTop('listen: { max_buffered: 512 }'), `7:25: listen.max_buffered: got 512, ${size}`],
  [withTop('listen: { max_body: 0B }'), '7:21: listen.max_body: got "0B", wanted a size from 1B to 8388607GiB'],
  [withTop('listen: { drain: 25d }'), '7:18: listen.drain: got "25d", wanted a duration up to 24d'],
  [withTop('listen: { drain: 30sec }'), `7:18: listen.drain: got "30sec", ${duration}`],
  [withTop('admin: { port: true }'), '7:16: admin.port: got true, wanted a whole number from 0 to 65535'],
  [withTop('admin: { token: 12345 }'), '7:17: admin.token: got a secret that does not fit, wanted a text'],
  [
    withTop('admin: { token_file: "" }'),
    '7:22: admin.token_file: got "", wanted the path of a file that holds the token',
  ],
  [
    withTop('telemetry: { log: trace }'),
    '7:19: telemetry.log: got "trace", wanted one of debug, info, warn, error, silent',
  ],
  [
    withTop(`telemetry: { log: ${'x'.repeat(80)} }`),
    `7:19: telemetry.log: got "${'x'.repeat(56)}...", wanted one of debug, info, warn, error, silent`,
  ],
  [withTop('routes: { to: [] }'), '7:9: routes: got a mapping, wanted a list of routes'],
  [withTop('routes:\n  -'), '8:4: routes[0]: got null, wanted a mapping with match, to, fallback, mirror, ...'],
  [withRoute('{ match: { model: m } }'), '7:10: routes[0].to: got nothing, wanted a list of backends with weights'],
  [withRoute('{ to: [] }'), '7:16: routes[0].to: got a list, wanted at least one backend'],
  [withRoute('{ to: [a] }'), '7:17: routes[0].to[0]: got "a", wanted a mapping with backend, weight'],
  [withRoute('{ to: [{ backend: a, weight: -1 }] }'), '7:39: routes[0].to[0].weight: got -1, wanted a number above 0'],
  [
    withRoute('{ to: [{ backend: a }], mirror: b }'),
    '7:42: routes[0].mirror: got "b", wanted a mapping with backend, share',
  ],
  [
    withRoute('{ to: [{ backend: a }], mirror: { share: 5% } }'),
    '7:42: routes[0].mirror.backend: got nothing, wanted the name of a backend',
  ],
  [
    `${least}  - { name: b, protocol: open-inference, models: [n], replicas: [{ url: "http://h:2" }] }\nroutes: [{ to: [{ backend: a }], mirror: { backend: b, share: 5 } }]\n`,
    '8:63: routes[0].mirror.share: got 5, wanted a share such as 5% or 0.1%',
  ],
  [withRoute('{ to: [{ backend: a }], deadline: 2 }'), `7:44: routes[0].deadline: got 2, ${duration}`],
  [
    withRoute('{ to: [{ backend: a }], deadline: 0s }'),
    '7:44: routes[0].deadline: got "0s", wanted a duration from 1ms to 24d',
  ],
  [
    withRoute('{ match: { path: v2/* }, to: [{ backend: a }] }'),
    '7:27: routes[0].match.path: got "v2/*", wanted a path that begins with / or *',
  ],
  [
    withRoute('{ match: { header: { authorization: 5 } }, to: [{ backend: a }] }'),
    '7:46: routes[0].match.header.authorization: got a secret that does not fit, wanted a text',
  ],
  [
    withRoute('{ match: , to: [{ backend: a }] }'),
    '7:19: routes[0].match: got null, wanted a mapping with model, tenant, path, header',
  ],
  [
    withRoute('{ match: { model: 5 }, to: [{ backend: a }] }'),
    '7:28: routes[0].match.model: got 5, wanted a model name, * for any characters',
  ],
  [
    withRoute('{ match: { tenant: "" }, to: [{ backend: a }] }'),
    '7:29: routes[0].match.tenant: got "", wanted a tenant, * for any characters',
  ],
  [
    withRoute('{ match: { path: {} }, to: [{ backend: a }] }'),
    '7:27: routes[0].match.path: got a mapping, wanted a path, * for any characters',
  ],
  [
    withRoute('{ match: { header: x-beta }, to: [{ backend: a }] }'),
    '7:29: routes[0].match.header: got "x-beta", wanted a mapping of header names to values',
  ],
  [
    withRoute('{ match: { header: { x-beta: 1 } }, to: [{ backend: a }] }'),
    '7:39: routes[0].match.header.x-beta: got 1, wanted a text',
  ],
  [withTop('cache: redis'), '7:8: cache: got "redis", wanted a mapping with memory, max_entry, redis, cluster, ...'],
  [withTop('cache: { memory: 0B }'), '7:18: cache.memory: got "0B", wanted a size from 1B to 8388607GiB'],
  [withTop('cache: { max_entry: 1000 }'), `7:21: cache.max_entry: got 1000, ${size}`],
  [withTop('cache: { redis: 6379 }'), '7:17: cache.redis: got a secret that does not fit, wanted a URL'],
  [withTop('cache: { cluster: yes }'), '7:19: cache.cluster: got "yes", wanted true or false'],
  [withTop('cache: { wait: 0s }'), '7:16: cache.wait: got "0s", wanted a duration from 1ms to 24d'],
  [withTop('cache: { prefix: "" }'), '7:18: cache.prefix: got "", wanted a text'],
  [
    withRoute('{ to: [{ backend: a }], cache: true }'),
    '7:41: routes[0].cache: got true, wanted a mapping with fresh, stale_while_revalidate, stale_if_error, share, ...',
  ],
  [withRoute('{ to: [{ backend: a }], cache: {} }'), `7:41: routes[0].cache.fresh: got nothing, ${duration}`],
  [
    withRoute('{ to: [{ backend: a }], cache: { fresh: 1m, stale_if_error: 1 } }'),
    `7:70: routes[0].cache.stale_if_error: got 1, ${duration}`,
  ],
  [
    withRoute('{ to: [{ backend: a }], cache: { fresh: 1m, stale_while_revalidate: 25d } }'),
    '7:78: routes[0].cache.stale_while_revalidate: got "25d", wanted a duration up to 24d',
  ],
  [
    withRoute('{ to: [{ backend: a }], cache: { fresh: 1m, share: all } }'),
    '7:61: routes[0].cache.share: got "all", wanted one of tenant, everyone',
  ],
  [
    withRoute('{ to: [{ backend: a }], cache: { fresh: 1m, revision: 2 } }'),
    '7:64: routes[0].cache.revision: got 2, wanted a text',
  ],
  [
    withRoute('{ to: [{ backend: a }], cache: { fresh: 1m, sampled: 1 } }'),
    '7:63: routes[0].cache.sampled: got 1, wanted true or false',
  ],
  [withRoute('{ to: [{ backend: a }], coalesce: 1s }'), '7:44: routes[0].coalesce: got "1s", wanted true or false'],
];
