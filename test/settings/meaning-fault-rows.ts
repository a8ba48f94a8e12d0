import { join } from 'node:path';
import type { FaultRow } from './shape-fault-rows.ts';
import { least, withBackend, withReplica, withTop } from './yaml.ts';

const replica = 'backends[0].replicas[0]';
const url = 'wanted a URL such as http://127.0.0.1:8101 or unix:/run/worker.sock, without credentials and query';

const withUrl = (text: string): string => least.replace('http://h:1', text);
const tlsBeside = 'wanted a url that begins with https:';
const uniqueId = 'wanted an id that no other replica of this backend has';
const readable = 'wanted a file that can be read';
const empty = join(import.meta.dirname, 'empty');
const secretFile = 'wanted a file that holds a secret';
const notGivenYet = 'wanted a header that is not given yet';
const tokenWanted = 'wanted a loopback address, or a token beside it';

/** The least with a second backend, of a protocol, and a route with more of its keys; those begin at column 34 of line 8. */
const withOther = (protocol: string, keys: string): string =>
  `${least}  - { name: b, protocol: ${protocol}, models: [m], replicas: [{ url: "http://h:2" }] }\nroutes: [{ to: [{ backend: a }], ${keys} }]\n`;

/** Configurations of the right shape whose parts do not fit together, or lead nowhere. */
export const misfits: readonly FaultRow[] = [
  [
    least.replace('url: http://h:1', 'slots: 4'),
    `6:9: ${replica}: got neither url nor worker, wanted one of url and worker`,
  ],
  [withReplica('worker: { models: [m] }'), `6:9: ${replica}: got both url and worker, wanted one of url and worker`],
  [
    withBackend('load: { scrape: { dialect: triton, port: 8002 } }').replace('http://h:1', 'unix:/s'),
    '7:46: backends[0].load.scrape.port: got a port, wanted none: a replica on a Unix socket has no other',
  ],
  [withReplica('zone: edge'), `7:15: ${replica}.zone: got a zone, wanted listen.zone beside it`],
  [
    withBackend('affinity: { by: prefix }'),
    '7:21: backends[0].affinity.by: got prefix with protocol open-inference, wanted session: only prompts of openai are read',
  ],
  [
    withBackend('affinity: { by: prefix, field: user }').replace('open-inference', 'openai'),
    '7:15: backends[0].affinity: got a header or a field beside by: prefix, wanted by: session, or neither of them',
  ],
  [
    withBackend('affinity: { by: session }'),
    '7:15: backends[0].affinity: got neither header nor field, wanted one of header and field',
  ],
  [
    withBackend('affinity: { by: session, header: a, field: b }'),
    '7:15: backends[0].affinity: got both header and field, wanted one of header and field',
  ],
  [withUrl('ftp://h:1'), `6:14: ${replica}.url: got "ftp://h:1", ${url}`],
  [withUrl('localhost'), `6:14: ${replica}.url: got "localhost", ${url}`],
  [withUrl('localhost:8101'), `6:14: ${replica}.url: got "localhost:8101", ${url}`],
  [withUrl('http://h:99999'), `6:14: ${replica}.url: got "http://h:99999", ${url}`],
  [withUrl('unix:run/worker.sock'), `6:14: ${replica}.url: got "unix:run/worker.sock", ${url}`],
  [
    withReplica('tls: { server_name: x }'),
    `7:14: ${replica}.tls: got tls settings beside a url without TLS, ${tlsBeside}`,
  ],
  [
    `${least.replace('url: http://h:1', 'worker: { models: [m] }')}        tls: {}\n`,
    `7:14: ${replica}.tls: got tls settings beside a worker, ${tlsBeside}`,
  ],
  [
    `${withUrl('https://h:1')}        tls: { ca_file: nowhere.pem }\n`,
    `7:25: ${replica}.tls.ca_file: got "nowhere.pem" (ENOENT), ${readable}`,
  ],
  [
    `${withUrl('https://h:1')}        tls: { ca_file: . }\n`,
    `7:25: ${replica}.tls.ca_file: got "." (a folder), wanted a file`,
  ],
  [
    withReplica('headers: { authorization_file: nowhere }'),
    `7:40: ${replica}.headers.authorization_file: got "nowhere" (ENOENT), ${readable}`,
  ],
  [withReplica('headers: { "x y": z }'), `7:27: ${replica}.headers.x y: got "x y", wanted a header name`],
  [withReplica('headers: { "": z }'), `7:24: ${replica}.headers.: got "", wanted a header name`],
  [
    withReplica('headers: { x-a: "a\\nb" }'),
    `7:25: ${replica}.headers.x-a: got a secret that does not fit, wanted a value of one line`,
  ],
  [withReplica('headers: { X-A: "1", x-a: "2" }'), `7:35: ${replica}.headers.x-a: got "x-a", ${notGivenYet}`],
  [
    withReplica('headers: { x-a: "1", x-a_file: package.json }'),
    `7:40: ${replica}.headers.x-a_file: got "x-a_file", ${notGivenYet}`,
  ],
  [
    withReplica('headers: { x-a: "\\u65e5" }'),
    `7:25: ${replica}.headers.x-a: got a secret that does not fit, wanted a value in Latin-1: HTTP carries no more`,
  ],
  [
    withReplica('headers: { Content-Length: "5" }'),
    `7:36: ${replica}.headers.Content-Length: got "Content-Length", wanted a header that is not of the connection or the length of a body`,
  ],
  [
    withReplica(`headers: { authorization_file: ${empty} }`),
    `7:40: ${replica}.headers.authorization_file: got "${empty}", which is empty, ${secretFile}`,
  ],
  [
    withTop('routes: [{ match: { header: { X-A: "1", x-a: "2" } }, to: [{ backend: a }] }]'),
    `7:46: routes[0].match.header.x-a: got "x-a", ${notGivenYet}`,
  ],
  [
    withTop('routes: [{ match: { header: { "x a": "1" } }, to: [{ backend: a }] }]'),
    '7:38: routes[0].match.header.x a: got "x a", wanted a header name',
  ],
  [
    withTop('listen: { max_body: 2MiB, max_buffered: 1MiB }'),
    '7:41: listen.max_buffered: got less than max_body, wanted room for at least one body',
  ],
  [
    withTop('listen: { max_body: 1GiB }'),
    '7:9: listen.max_buffered: got less than max_body, wanted room for at least one body',
  ],
  [withTop('admin: { port: 8080 }'), '7:16: admin.port: got 8080, which is the port for clients, wanted another port'],
  [withTop(`admin: { token_file: ${empty} }`), `7:22: admin.token_file: got "${empty}", which is empty, ${secretFile}`],
  [withTop('admin: { host: 0.0.0.0 }'), `7:16: admin.host: got "0.0.0.0", ${tokenWanted}`],
  [withTop('admin: { host: "::", token: "" }'), `7:16: admin.host: got "::", ${tokenWanted}`],
  [withTop('admin: { host: 127.0.0.999 }'), `7:16: admin.host: got "127.0.0.999", ${tokenWanted}`],
  [withTop('admin: { host: 127.evil.example }'), `7:16: admin.host: got "127.evil.example", ${tokenWanted}`],
  [withTop('admin: { token_file: nowhere }'), `7:22: admin.token_file: got "nowhere" (ENOENT), ${readable}`],
  [
    withTop('admin: { token: a, token_file: package.json }'),
    '7:32: admin.token_file: got a token and a token_file, wanted one of them',
  ],
  [
    `${least}  - { name: a, protocol: open-inference, models: [n], replicas: [{ url: "http://h:2" }] }\n`,
    '7:13: backends[1].name: got "a", wanted a name that no other backend has',
  ],
  [`${least}      - url: http://h:1/b\n`, `7:9: backends[0].replicas[1]: got "h:1", ${uniqueId}`],
  [`${least}      - { id: "h:1", url: "http://h:2" }\n`, `7:15: backends[0].replicas[1].id: got "h:1", ${uniqueId}`],
  [
    `${least.replace('url: http://h:1', 'worker: { models: [m] }')}      - { id: worker-1, url: "http://h:2" }\n`,
    `7:15: backends[0].replicas[1].id: got "worker-1", ${uniqueId}`,
  ],
  [
    least.replace('[m]', '[m, n, m]'),
    '4:20: backends[0].models[2]: got "m", wanted a model that this backend does not have yet',
  ],
  [
    least.replace('[m]', '[m, { name: m, upstream: n }]'),
    '4:17: backends[0].models[1]: got "m", wanted a model that this backend does not have yet',
  ],
  [
    `${least}  - { name: b, protocol: open-inference, models: [n, m], replicas: [{ url: "http://h:2" }] }\n`,
    '7:54: backends[1].models[1]: got "m", which another backend serves, too, wanted a route that says which backend serves it',
  ],
  [
    withTop('routes: [{ to: [{ backend: a }], fallback: [aa] }]'),
    '7:45: routes[0].fallback[0]: got "aa", wanted the backend a',
  ],
  [
    withTop('routes: [{ to: [{ backend: a }], fallback: [a] }]'),
    '7:45: routes[0].fallback[0]: got "a", wanted a backend that this route does not name yet',
  ],
  [
    withOther('openai', 'fallback: [b]'),
    '8:45: routes[0].fallback[0]: got "b", which speaks openai, wanted a backend that speaks open-inference, as those before it',
  ],
  [
    withOther('openai', 'mirror: { backend: b }'),
    '8:53: routes[0].mirror.backend: got "b", which speaks openai, wanted a backend that speaks open-inference, as those before it',
  ],
  [
    withTop('routes: [{ to: [{ backend: a }], mirror: { backend: aa } }]'),
    '7:53: routes[0].mirror.backend: got "aa", wanted the backend a',
  ],
  [
    withTop('routes: [{ to: [{ backend: a }], mirror: { backend: a } }]'),
    '7:53: routes[0].mirror.backend: got "a", to which this route sends, wanted another backend',
  ],
  [
    withBackend('breaker: { eject: 10s, eject_max: 9s }'),
    '7:39: backends[0].breaker.eject_max: got less than eject, wanted at least the time of the first ejection',
  ],
  [
    withBackend('breaker: { eject: 10m }'),
    '7:14: backends[0].breaker.eject_max: got less than eject, wanted at least the time of the first ejection',
  ],
  [
    withBackend('hedge: { after: 30s }'),
    '7:21: backends[0].hedge.after: got no less than timeouts.first_byte, wanted a delay that is over before it',
  ],
  [
    withBackend('hedge: { after: 1s }\n    timeouts: { first_byte: 1s }'),
    '7:21: backends[0].hedge.after: got no less than timeouts.first_byte, wanted a delay that is over before it',
  ],
  [
    withBackend('hedge: {}\n    retry: { idempotent: false }'),
    '7:12: backends[0].hedge: got hedges beside retry.idempotent: false, wanted none of them: a hedge is a request that is sent twice',
  ],
  [
    withTop('cache: { memory: 1MiB, max_entry: 2MiB }'),
    '7:35: cache.max_entry: got more than memory, wanted at most cache.memory',
  ],
  [withTop('cache: { memory: 1KiB }'), '7:8: cache.max_entry: got more than memory, wanted at most cache.memory'],
  ...['localhost:6379', 'http://h:6379', 'redis://', 'redis://h/name', 'redis://h,unix:/run/redis.sock'].map(
    (redis): FaultRow => [
      withTop(`cache: { redis: "${redis}", cluster: true }`),
      '7:17: cache.redis: got something else, wanted redis://host:port, with a /number behind it or not, or rediss://',
    ],
  ),
  [
    withTop('cache: { redis: "redis://h:1, redis://h:2" }'),
    '7:17: cache.redis: got 2 URLs, wanted one, or cluster: true beside it',
  ],
  [
    withTop('cache: { cluster: true, redis: "" }'),
    '7:19: cache.cluster: got true without redis, wanted redis beside it',
  ],
  [withTop('routes: [{ to: [{ backend: aa }] }]'), '7:28: routes[0].to[0].backend: got "aa", wanted the backend a'],
  [
    withTop('routes: [{ to: [{ backend: a }, { backend: cloud }] }]'),
    '7:44: routes[0].to[1].backend: got "cloud", wanted one of the backends a',
  ],
];

/** Texts that are no YAML, or need what is not there. */
export const unreadable: readonly FaultRow[] = [
  [
    withTop('listen: { port: 1, port: 2 }'),
    '7:20: got YAML that cannot be read (Map keys must be unique), wanted valid YAML',
  ],
  [
    withTop('listen:\n\tport: 1'),
    '8:1: got YAML that cannot be read (Tabs are not allowed as indentation), wanted valid YAML',
  ],
  [
    withTop('listen:\n    port: 1\n  host: x'),
    '9:1: got YAML that cannot be read (All mapping items must start at the same column), wanted valid YAML',
  ],
  [
    withTop('listen: { port: 1'),
    '8:1: got YAML that cannot be read (Flow map in block collection must be sufficiently indented and end with a }), wanted valid YAML',
  ],
  [
    withTop('listen: { host: *x }'),
    '7:17: got an alias (*) of what no anchor (&) before it names, wanted such an anchor, or quotes around a text',
  ],
  [
    withTop('routes: &x [*x]'),
    '7:13: got an alias (*) of what no anchor (&) before it names, wanted such an anchor, or quotes around a text',
  ],
  [withTop('admin: { token: !x }'), '7:17: got YAML that cannot be read (Unknown tag), wanted valid YAML'],
  [
    withTop('listen: { host: "\\q" }'),
    '7:18: got YAML that cannot be read (Invalid escape sequence), wanted valid YAML',
  ],
  [`${least}---\n${least}`, '7:1: got YAML that cannot be read (Several documents), wanted valid YAML'],
  [
    withTop(`listen: { host: "\${HOST}" }`),
    `7:17: got \${HOST}, which is not set, wanted the environment variable HOST, or a default: \${HOST:-...}`,
  ],
];
