import { least, withTarget, withTop } from './yaml.ts';

/** A scenario with one fault, and what is told of it after `file:`. */
export type FaultRow = readonly [yaml: string, told: string];

const duration = 'wanted a duration such as 250ms, 30s or 5m';
const period = 'wanted a duration from 1ms to 24d';
const instant = 'wanted a duration up to 24d';
const rate = 'wanted a rate such as 200/s or 30/m';
const positiveRate = 'wanted a rate above 0, up to 10000000/s';
const share = 'wanted a share such as 5% or 0.1%';
const url = 'wanted an http or https URL without a query and without a name in front of its host';
const name = 'wanted a name of letters, digits, dots, dashes and underscores';

const arrivals = (text: string): string => withTop(`arrivals: { ${text} }`);
const clients = (text: string): string => withTop(`clients: { ${text} }`);
const slos = (text: string): string => withTop(`slos: { ${text} }`);

/** Keys that are not known, and kinds of mappings that are none. */
export const unknownKeys: readonly FaultRow[] = [
  [withTop('sede: 1'), '6:1: sede: got the unknown key sede, wanted the key seed'],
  [withTarget('modle: m'), '6:5: targets[0].modle: got the unknown key modle, wanted the key model'],
  [
    arrivals('kind: poisson, rate: 1/s, burst: 2'),
    '6:39: arrivals.burst: got the unknown key burst, wanted one of the keys kind, rate',
  ],
  [
    arrivals('kind: gamma, rate: 1/s, burstiness: 1, for: 2'),
    '6:52: arrivals.for: got the unknown key for, wanted one of the keys kind, rate, burstiness',
  ],
  [
    arrivals('kind: ramp, from: 1/s, to: 2/s, overr: 2s'),
    '6:45: arrivals.overr: got the unknown key overr, wanted the key over',
  ],
  [
    withTop('payloads: { kind: trace, file: t.csv, chat: { prompt_tokens: 5 } }'),
    '6:47: payloads.chat.prompt_tokens: got the unknown key prompt_tokens, wanted one of the keys stream, usage, ignore_eos, temperature',
  ],
  [
    withTop('payloads: { kind: prefix, groups: 1, prefix_tokens: 1, tensor: {} }'),
    '6:56: payloads.tensor: got the unknown key tensor, wanted one of the keys kind, groups, prefix_tokens, chat',
  ],
  [
    withTop('payloads: { kind: same, chat: { sream: true } }'),
    '6:33: payloads.chat.sream: got the unknown key sream, wanted the key stream',
  ],
  [clients('time_out: 1s'), '6:12: clients.time_out: got the unknown key time_out, wanted the key timeout'],
  [
    clients('cancel: { share: 1%, after: 1s, at: 1s }'),
    '6:44: clients.cancel.at: got the unknown key at, wanted one of the keys share, after',
  ],
  [slos('tfft: 1s'), '6:9: slos.tfft: got the unknown key tfft, wanted the key ttft'],
];

/** Values of the wrong type, and of the right one out of bounds, for each key. */
export const wrongTops: readonly FaultRow[] = [
  [least.replace(/^for.*/, 'name: 5\nfor: 1s'), '1:7: name: got 5, wanted a name'],
  [least.replace(/^for.*/, 'name: a/b\nfor: 1s'), `1:7: name: got "a/b", ${name}`],
  [withTop('seed: one'), '6:7: seed: got "one", wanted a whole number from 0'],
  [withTop('seed: -1'), '6:7: seed: got -1, wanted a whole number from 0'],
  [least.replace('10s', '10'), `1:6: for: got 10, ${duration}`],
  [least.replace('10s', '0s'), `1:6: for: got "0s", ${period}`],
  [withTop('requests: many'), '6:11: requests: got "many", wanted a whole number from 1 to 1000000000'],
  [withTop('requests: 0'), '6:11: requests: got 0, wanted a whole number from 1 to 1000000000'],
  [withTop('warm_up: 5'), `6:10: warm_up: got 5, ${duration}`],
  [withTop('warm_up: 25d'), `6:10: warm_up: got "25d", ${instant}`],
  ['for: 1s\ntargets: http://h\n', '2:10: targets: got "http://h", wanted a list of targets'],
  ['for: 1s\ntargets: []\n', '2:10: targets: got a list, wanted at least one target'],
  ['for: 1s\n', '1:1: targets: got nothing, wanted a list of targets'],
  [withTop('servers: 1'), '6:10: servers: got 1, wanted a list of servers'],
  [withTop('faults: 1'), '6:9: faults: got 1, wanted a list of faults'],
  [withTop('asserts: p99<1s'), '6:10: asserts: got "p99<1s", wanted a list of assertions'],
  [withTop('asserts: [5]'), '6:11: asserts[0]: got 5, wanted an assertion such as p99<800ms'],
];

export const wrongTargets: readonly FaultRow[] = [
  [withTarget('name: []'), '6:11: targets[0].name: got a list, wanted a name'],
  [withTarget('name: "a b"'), `6:11: targets[0].name: got "a b", ${name}`],
  [least.replace('http://h:1', '5'), '3:10: targets[0].url: got 5, wanted an http or https URL'],
  [least.replace('http://h:1', 'ftp://h'), `3:10: targets[0].url: got "ftp://h", ${url}`],
  [least.replace('http://h:1', 'http://h/?a=b'), `3:10: targets[0].url: got a text that may hold a credential, ${url}`],
  [least.replace('http://h:1', 'unix:/s'), `3:10: targets[0].url: got "unix:/s", ${url}`],
  [least.replace('openai', '5'), '4:15: targets[0].protocol: got 5, wanted one of openai, open-inference'],
  [least.replace('openai', 'grpc'), '4:15: targets[0].protocol: got "grpc", wanted one of openai, open-inference'],
  [least.replace('model: m', 'model: 5'), '5:12: targets[0].model: got 5, wanted the name of a model'],
  [least.replace('model: m', 'model: ""'), '5:12: targets[0].model: got "", wanted the name of a model'],
  [
    withTarget('headers: a'),
    '6:14: targets[0].headers: got a secret that does not fit, wanted a mapping of header names to values',
  ],
  [withTarget('headers: { a: 5 }'), '6:19: targets[0].headers.a: got a secret that does not fit, wanted a text'],
  [withTarget('headers: { "a b": x }'), '6:23: targets[0].headers.a b: got "a b", wanted a header name'],
];

export const wrongArrivals: readonly FaultRow[] = [
  [withTop('arrivals: poisson'), '6:11: arrivals: got "poisson", wanted a mapping with kind, ...'],
  [
    arrivals('rate: 1/s'),
    '6:11: arrivals.kind: got nothing, wanted one of constant, poisson, gamma, ramp, step, trace, closed',
  ],
  [
    arrivals('kind: uniform'),
    '6:19: arrivals.kind: got "uniform", wanted one of constant, poisson, gamma, ramp, step, trace, closed',
  ],
  ...['constant', 'poisson', 'gamma'].flatMap((kind): FaultRow[] => {
    const column = 27 + kind.length;
    const rest = kind === 'gamma' ? ', burstiness: 1' : '';
    return [
      [arrivals(`kind: ${kind}, rate: 5${rest}`), `6:${column}: arrivals.rate: got 5, ${rate}`],
      [arrivals(`kind: ${kind}, rate: 0/s${rest}`), `6:${column}: arrivals.rate: got "0/s", ${positiveRate}`],
      [
        arrivals(`kind: ${kind}, rate: 10000001/s${rest}`),
        `6:${column}: arrivals.rate: got "10000001/s", ${positiveRate}`,
      ],
    ];
  }),
  [
    arrivals('kind: gamma, rate: 1/s, burstiness: high'),
    '6:49: arrivals.burstiness: got "high", wanted a number from 0.01 to 1000',
  ],
  [
    arrivals('kind: gamma, rate: 1/s, burstiness: 0'),
    '6:49: arrivals.burstiness: got 0, wanted a number from 0.01 to 1000',
  ],
  [arrivals('kind: ramp, from: 1, to: 2/s'), `6:31: arrivals.from: got 1, ${rate}`],
  [arrivals('kind: ramp, from: 1e9/s, to: 2/s'), `6:31: arrivals.from: got "1e9/s", ${rate}`],
  [
    arrivals('kind: ramp, from: 11000000/s, to: 2/s'),
    '6:31: arrivals.from: got "11000000/s", wanted a rate up to 10000000/s',
  ],
  [arrivals('kind: ramp, from: 1/s, to: []'), `6:40: arrivals.to: got a list, ${rate}`],
  [
    arrivals('kind: ramp, from: 1/s, to: 11000000/s'),
    '6:40: arrivals.to: got "11000000/s", wanted a rate up to 10000000/s',
  ],
  [arrivals('kind: ramp, from: 1/s, to: 2/s, over: 5'), `6:51: arrivals.over: got 5, ${duration}`],
  [arrivals('kind: ramp, from: 1/s, to: 2/s, over: 0s'), `6:51: arrivals.over: got "0s", ${period}`],
  [
    arrivals('kind: ramp, from: 1/s, to: 2/s, burstiness: odd'),
    '6:57: arrivals.burstiness: got "odd", wanted a number from 0.01 to 1000, or even',
  ],
  [
    arrivals('kind: ramp, from: 1/s, to: 2/s, burstiness: 0'),
    '6:57: arrivals.burstiness: got 0, wanted a number from 0.01 to 1000, or even',
  ],
  [arrivals('kind: step, steps: 5'), '6:32: arrivals.steps: got 5, wanted a list of steps'],
  [arrivals('kind: step, steps: []'), '6:32: arrivals.steps: got a list, wanted at least one step'],
  [arrivals('kind: step, steps: [{ rate: 1, for: 1s }]'), `6:41: arrivals.steps[0].rate: got 1, ${rate}`],
  [arrivals('kind: step, steps: [{ rate: 1/s, for: 1 }]'), `6:51: arrivals.steps[0].for: got 1, ${duration}`],
  [arrivals('kind: step, steps: [{ rate: 1/s, for: 0s }]'), `6:51: arrivals.steps[0].for: got "0s", ${period}`],
  [
    arrivals('kind: step, steps: [{ rate: 11000000/s, for: 1s }]'),
    '6:41: arrivals.steps[0].rate: got "11000000/s", wanted a rate up to 10000000/s',
  ],
  [arrivals('kind: trace, file: 5'), '6:32: arrivals.file: got 5, wanted the path of a trace'],
  [arrivals('kind: trace, file: ""'), '6:32: arrivals.file: got "", wanted the path of a trace'],
  [
    arrivals('kind: trace, file: t.csv, speed: fast'),
    '6:46: arrivals.speed: got "fast", wanted a number from 0.000001 to 1000000',
  ],
  [
    arrivals('kind: trace, file: t.csv, speed: 0'),
    '6:46: arrivals.speed: got 0, wanted a number from 0.000001 to 1000000',
  ],
  [arrivals('kind: trace, file: t.csv, limit: all'), '6:46: arrivals.limit: got "all", wanted a whole number from 1'],
  [arrivals('kind: trace, file: t.csv, limit: 0'), '6:46: arrivals.limit: got 0, wanted a whole number from 1'],
  [
    arrivals('kind: closed, concurrency: some'),
    '6:40: arrivals.concurrency: got "some", wanted a whole number from 1 to 100000',
  ],
  [
    arrivals('kind: closed, concurrency: 0'),
    '6:40: arrivals.concurrency: got 0, wanted a whole number from 1 to 100000',
  ],
];

export const wrongClients: readonly FaultRow[] = [
  [withTop('clients: 5'), '6:10: clients: got 5, wanted a mapping with cancel, slow, timeout, connections, ...'],
  [clients('cancel: 5%'), '6:20: clients.cancel: got "5%", wanted a mapping with share, after'],
  [clients('cancel: { share: 5, after: 1s }'), `6:29: clients.cancel.share: got 5, ${share}`],
  [
    clients('cancel: { share: 101%, after: 1s }'),
    '6:29: clients.cancel.share: got "101%", wanted a share from 0% to 100%',
  ],
  [clients('cancel: { share: 5%, after: 1 }'), `6:40: clients.cancel.after: got 1, ${duration}`],
  [clients('cancel: { share: 5%, after: 25d }'), `6:40: clients.cancel.after: got "25d", ${instant}`],
  [clients('slow: true'), '6:18: clients.slow: got true, wanted a mapping with share, rate'],
  [clients('slow: { share: half, rate: 1B/s }'), `6:27: clients.slow.share: got "half", ${share}`],
  [
    clients('slow: { share: 200%, rate: 1B/s }'),
    '6:27: clients.slow.share: got "200%", wanted a share from 0% to 100%',
  ],
  [
    clients('slow: { share: 5%, rate: 5/s }'),
    '6:37: clients.slow.rate: got "5/s", wanted a throughput such as 512B/s or 64KiB/s',
  ],
  [
    clients('slow: { share: 5%, rate: 0B/s }'),
    '6:37: clients.slow.rate: got "0B/s", wanted a throughput from 1B/s to 8388607GiB/s',
  ],
  [clients('timeout: none'), `6:21: clients.timeout: got "none", ${duration}`],
  [clients('timeout: 0s'), `6:21: clients.timeout: got "0s", ${period}`],
  [clients('connections: all'), '6:25: clients.connections: got "all", wanted a whole number from 1 to 1000000'],
  [clients('connections: 0'), '6:25: clients.connections: got 0, wanted a whole number from 1 to 1000000'],
  [clients('processes: two'), '6:23: clients.processes: got "two", wanted a whole number from 1 to 64'],
  [clients('processes: 65'), '6:23: clients.processes: got 65, wanted a whole number from 1 to 64'],
  [withTop('slos: []'), '6:7: slos: got a list, wanted a mapping with latency, ttft, itl, tpot'],
  ...['latency', 'ttft', 'itl', 'tpot'].flatMap((key): FaultRow[] => [
    [slos(`${key}: 5`), `6:${11 + key.length}: slos.${key}: got 5, ${duration}`],
    [slos(`${key}: 0s`), `6:${11 + key.length}: slos.${key}: got "0s", ${period}`],
  ]),
];
