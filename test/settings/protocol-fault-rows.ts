import type { FaultRow } from './shape-fault-rows.ts';
import { least } from './yaml.ts';

/** The least of a protocol other than the Open Inference Protocol. */
const speaking = (protocol: string): string => least.replace('open-inference', protocol);

/** The least of plain HTTP, which has no models, and what stands behind it, from line 6 on. */
const plain = (more = ''): string => `${speaking('http').replace('    models: [m]\n', '')}${more}`;

const route = (match: string): string => `routes: [{ match: { ${match} }, to: [{ backend: a }] }]\n`;
const onPath = route('path: "/x/*"');

const noModels = 'wanted nothing: requests of protocol http name no model';
const wantedRoute = 'wanted a route on a path: protocol http is spoken there';
const wantedPath = 'wanted the path at which protocol http is spoken';
const wantedOrigin = 'wanted the URL without /v1 at its end';
const wantedName = 'wanted the name of one model first, or a health.path';

/** Backends, and routes to them, that do not fit the protocol they speak. */
export const protocolMisfits: readonly FaultRow[] = [
  [`${speaking('http')}${onPath}`, `4:13: backends[0].models: got a list, ${noModels}`],
  ...['openai', 'tf-serving'].map(
    (protocol): FaultRow => [
      speaking(protocol).replace('    models: [m]\n', ''),
      '2:5: backends[0].models: got nothing, wanted a list of models',
    ],
  ),
  [plain(), `2:5: backends[0]: got "a", to which no route leads, ${wantedRoute}`],
  [
    `${plain('  - { name: b, protocol: http, replicas: [{ url: "http://h:2" }] }\n')}${onPath}`,
    `6:5: backends[1]: got "b", to which no route leads, ${wantedRoute}`,
  ],
  [
    plain(route('path: "/x", model: m')),
    '6:40: routes[0].match.model: got "m", wanted no model: requests of protocol http name none',
  ],
  [plain(route('tenant: "*"')), `6:19: routes[0].match: got a match without path, ${wantedPath}`],
  [plain('routes: [{ to: [{ backend: a }] }]\n'), `6:10: routes[0].match: got a match without path, ${wantedPath}`],
  [
    `${plain('  - { name: b, protocol: openai, models: [m], replicas: [{ url: "http://h:2" }] }\n')}routes: [{ match: { path: "/x" }, to: [{ backend: a }, { backend: b }] }]\n`,
    '7:67: routes[0].to[1].backend: got "b", which speaks openai, wanted a backend that speaks http, as those before it',
  ],
  ...['http://h:1/v1', 'http://h:1/v1/', 'https://h/api/v1'].map(
    (url): FaultRow => [
      speaking('openai').replace('http://h:1', url),
      `6:14: backends[0].replicas[0].url: got "${url}", ${wantedOrigin}`,
    ],
  ),
  [
    `${speaking('openai')}      - url: http://h:2/v1\n`,
    `7:14: backends[0].replicas[1].url: got "http://h:2/v1", ${wantedOrigin}`,
  ],
  [speaking('tf-serving').replace('[m]', '["m-*", n]'), `4:14: backends[0].models[0]: got "m-*", ${wantedName}`],
  [
    speaking('tf-serving').replace('[m]', '[{ name: m, upstream: "m-*" }]'),
    `4:14: backends[0].models[0]: got "m-*", ${wantedName}`,
  ],
];

/** What is like one of them and all right. */
export const protocolFits: readonly string[] = [
  plain(onPath),
  plain(`routes: [{ match: { path: "/x", tenant: "*", header: { x-a: b } }, to: [{ backend: a }] }]\n`),
  speaking('openai').replace('http://h:1', 'http://h:1/v1x'),
  speaking('openai').replace('http://h:1', 'http://h:1/v1/proxy'),
  speaking('open-inference').replace('http://h:1', 'http://h:1/v1'),
  speaking('tf-serving').replace('[m]', '[n, "m-*"]'),
  speaking('tf-serving').replace('[m]', '[{ name: "m-*", upstream: m }]'),
  `${speaking('tf-serving').replace('[m]', '["m-*"]')}    health: { path: /up }\n`,
  `${least}  - { name: b, protocol: openai, models: [m], replicas: [{ url: "http://h:2" }] }\n`,
];
