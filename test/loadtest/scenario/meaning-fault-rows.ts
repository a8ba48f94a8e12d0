import type { FaultRow } from './shape-fault-rows.ts';
import { azure, type Files, least, leastTensors, withTop } from './yaml.ts';

const endless = least.replace('for: 10s\n', '');
const replay = `${endless}arrivals: { kind: trace, file: t.csv }\n`;
const wantedEnd = 'wanted an end of the run: for, requests, or both';
const second = '  - { url: "http://h:2", protocol: openai, model: m }\n';

/** What fits by itself and not together. */
export const misfits: readonly FaultRow[] = [
  [endless, `1:1: got neither for nor requests, ${wantedEnd}`],
  [`${endless}arrivals: { kind: closed, concurrency: 1 }\n`, `1:1: got neither for nor requests, ${wantedEnd}`],
  [withTop('warm_up: 10s'), '6:10: warm_up: got 10 s, wanted less than the whole run, which is 10 s'],
  [
    `${endless}requests: 5\narrivals: { kind: ramp, from: 0/s, to: 1/s }\n`,
    '6:11: arrivals: got a ramp with neither over nor for, wanted one of them, to say how long it takes',
  ],
  [
    withTop('arrivals: { kind: ramp, from: 0/s, to: 0/s }'),
    '6:40: arrivals.to: got a rate of 0, as from, wanted a rate above 0 at one end',
  ],
  [
    withTop('arrivals: { kind: step, steps: [{ rate: 0/s, for: 1s }] }'),
    '6:32: arrivals.steps: got no rate but 0, wanted a rate above 0 in at least one step',
  ],
  [
    `${least}${second.replace('h:2', 'h:1')}`,
    '6:12: targets[1].url: got "h:1", wanted a name that no other target has',
  ],
  [
    `${least}${second.replace('openai', 'open-inference')}`,
    '6:36: targets[1].protocol: got "open-inference", wanted openai, as the first target speaks: all are sent the same',
  ],
  [
    withTop('payloads: { kind: same, tensor: {} }'),
    '6:33: payloads.tensor: got a tensor, wanted none: the targets speak openai',
  ],
  [
    `${leastTensors}payloads: { kind: same, chat: {} }\n`,
    '6:31: payloads.chat: got a chat, wanted none: the targets speak open-inference',
  ],
  [
    `${leastTensors}payloads: { kind: prefix, groups: 1, prefix_tokens: 1 }\n`,
    '6:19: payloads.kind: got "prefix", wanted unique, same or zipf: tensors have no tokens',
  ],
  [
    withTop('payloads: { kind: trace }'),
    '6:11: payloads: got a trace without file, wanted a file, or arrivals of kind trace',
  ],
  [
    withTop('payloads: { kind: same, chat: { prompt_tokens: { kind: uniform, from: 5, to: 4 } } }'),
    '6:78: payloads.chat.prompt_tokens.to: got 4, wanted at least from, which is 5',
  ],
  [
    withTop('asserts: [p99<1s, "p99<fast"]'),
    '6:19: asserts[1]: got "p99<fast", wanted p99 compared with a duration such as 250ms, 30s or 5m',
  ],
];

const servers = 'servers: [{ kind: tensor, port: 1, name: a }, { kind: llm, port: 2, name: b }]';

/** Faults and servers that do not fit together. */
export const wrongServers: readonly FaultRow[] = [
  [
    withTop('faults: [{ kind: pause, at: 1s }]'),
    '6:9: faults: got faults and no servers, wanted servers that they befall',
  ],
  [
    withTop(`${servers}\nfaults: [{ kind: hang, server: c }]`),
    '7:32: faults[0].server: got "c", wanted one of the servers a, b',
  ],
  [
    withTop(servers.replace('name: b', 'name: a')),
    '6:75: servers[1].name: got "a", wanted a name that no other server has',
  ],
  [
    withTop('servers: [{ kind: tensor, port: 1 }, { kind: llm, port: 2 }]'),
    '6:38: servers[1].name: got "simulated", wanted a name that no other server has',
  ],
  [withTop('servers: [{ kind: tensor }]'), '6:11: servers[0].port: got nothing, wanted a whole number from 1 to 65535'],
  [
    withTop('servers: [{ kind: tensor, port: 0 }]'),
    '6:33: servers[0].port: got 0, wanted a whole number from 1 to 65535',
  ],
  [
    withTop(servers.replace('port: 2', 'port: 1')),
    '6:66: servers[1].port: got "1", wanted a port that no other server has',
  ],
];

/** A trace, and what is told of a scenario that replays it as `t.csv`, or as `t.jsonl` where it is JSON. */
export const wrongTraces: readonly (readonly [trace: string, told: string])[] = [
  ['', 'got "t.csv" with "" in line 1, wanted the header TIMESTAMP,ContextTokens,GeneratedTokens'],
  ['a,b\n', 'got "t.csv" with "a,b" in line 1, wanted the header TIMESTAMP,ContextTokens,GeneratedTokens'],
  [azure.slice(0, 40), 'got "t.csv" with no request in line 2, wanted at least one'],
  [
    `${azure}yesterday,1,1\n`,
    'got "t.csv" with "yesterday,1,1" in line 3, wanted a row such as 2023-11-16 18:15:46.6805900,374,44',
  ],
  [
    `${azure}\n${azure.slice(40)}`,
    'got "t.csv" with "" in line 3, wanted a row such as 2023-11-16 18:15:46.6805900,374,44',
  ],
  [
    `${azure}2023-13-16 18:15:46.6,1,1\n`,
    'got "t.csv" with "2023-13-16 18:15:46.6,1,1" in line 3, wanted a row such as 2023-11-16 18:15:46.6805900,374,44',
  ],
  [
    `${azure}2023-11-16 18:15:47,1,1,1\n`,
    'got "t.csv" with "2023-11-16 18:15:47,1,1,1" in line 3, wanted a row such as 2023-11-16 18:15:46.6805900,374,44',
  ],
  [
    `${azure}2023-11-16 18:15:47,1.5,1\n`,
    'got "t.csv" with ContextTokens "1.5" in line 3, wanted a whole number from 1',
  ],
  [`${azure}2023-11-16 18:15:47,1,0\n`, 'got "t.csv" with GeneratedTokens "0" in line 3, wanted a whole number from 1'],
  [`${azure}2023-11-16 18:15:47,1,\n`, 'got "t.csv" with GeneratedTokens "" in line 3, wanted a whole number from 1'],
  [
    `${azure}2023-11-16 18:15:46.6,1,1\n`,
    'got "t.csv" with an instant before that of the line above in line 3, wanted rows in the order of their instants',
  ],
  ['{', 'got "t.jsonl" with no JSON in line 1, wanted a JSON object'],
  ['{"timestamp":', 'got "t.jsonl" with no JSON in line 1, wanted a JSON object'],
  ['{"a": 1}', 'got "t.jsonl" with timestamp missing in line 1, wanted a whole number from 0'],
  ['{"timestamp": -1, "input_length": 5}', 'got "t.jsonl" with timestamp -1 in line 1, wanted a whole number from 0'],
  [
    '{"timestamp": 0, "input_length": "5"}',
    'got "t.jsonl" with input_length "5" in line 1, wanted a whole number from 1',
  ],
  [
    '{"timestamp": 0, "input_length": 5, "output_length": 0}',
    'got "t.jsonl" with output_length 0 in line 1, wanted a whole number from 1',
  ],
  [
    '{"timestamp": 0, "input_length": 5, "output_length": 1}',
    'got "t.jsonl" with hash_ids missing in line 1, wanted a list of whole numbers from 0',
  ],
  [
    '{"timestamp": 0, "input_length": 5, "output_length": 1, "hash_ids": [-1]}',
    'got "t.jsonl" with hash_ids that are none in line 1, wanted a list of whole numbers from 0',
  ],
  [
    '{"timestamp": 0, "input_length": 513, "output_length": 1, "hash_ids": [1]}',
    'got "t.jsonl" with 1 hash_ids in line 1, wanted 2: one for each 512 tokens of input_length',
  ],
];

/** A scenario that replays a trace, and the files it names. */
export function replaying(trace: string): readonly [yaml: string, files: Files] {
  const name = trace.startsWith('{') ? 't.jsonl' : 't.csv';
  return [replay.replace('t.csv', name), { [name]: trace }];
}
