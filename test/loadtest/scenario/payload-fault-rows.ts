import type { FaultRow } from './shape-fault-rows.ts';
import { leastTensors, withTop } from './yaml.ts';

const kinds = 'wanted one of unique, same, zipf, prefix, trace';
const tokens = 'wanted a whole number from 1 to 10000000';
const rows = 'wanted a whole number from 1 to 131072';
const keys = 'wanted a whole number from 1 to 1000000';

const payloads = (text: string): string => withTop(`payloads: { ${text} }`);
const chat = (text: string): string => payloads(`kind: same, chat: { ${text} }`);
const tensor = (text: string): string => `${leastTensors}payloads: { kind: same, tensor: { ${text} } }\n`;

/** The column at which the value of a key of chat begins. */
const inChat = (key: string): number => 35 + key.length;

/** Both lengths of a chat, and the rows of a tensor. */
const lengths: readonly (readonly [path: string, make: (text: string) => string, column: number, wanted: string])[] = [
  ['payloads.chat.prompt_tokens', (text) => chat(`prompt_tokens: ${text}`), inChat('prompt_tokens'), tokens],
  ['payloads.chat.output_tokens', (text) => chat(`output_tokens: ${text}`), inChat('output_tokens'), tokens],
  ['payloads.tensor.rows', (text) => tensor(`rows: ${text}`), inChat('rows') + 2, rows],
];

/** Values of the wrong type, and of the right one out of bounds, for each key of payloads. */
export const wrongPayloads: readonly FaultRow[] = [
  [withTop('payloads: same'), '6:11: payloads: got "same", wanted a mapping with kind, ...'],
  [payloads('kind: 5'), `6:19: payloads.kind: got 5, ${kinds}`],
  [payloads('kind: random'), `6:19: payloads.kind: got "random", ${kinds}`],
  [payloads('kind: zipf, s: steep, keys: 5'), '6:28: payloads.s: got "steep", wanted a number from 0 to 10'],
  [payloads('kind: zipf, s: -1, keys: 5'), '6:28: payloads.s: got -1, wanted a number from 0 to 10'],
  [payloads('kind: zipf'), `6:11: payloads.keys: got nothing, ${keys}`],
  [payloads('kind: zipf, keys: few'), `6:31: payloads.keys: got "few", ${keys}`],
  [payloads('kind: zipf, keys: 1000001'), `6:31: payloads.keys: got 1000001, ${keys}`],
  [payloads('kind: prefix, groups: a, prefix_tokens: 1'), `6:35: payloads.groups: got "a", ${keys}`],
  [payloads('kind: prefix, groups: 0, prefix_tokens: 1'), `6:35: payloads.groups: got 0, ${keys}`],
  [payloads('kind: prefix, groups: 1, prefix_tokens: a'), `6:53: payloads.prefix_tokens: got "a", ${tokens}`],
  [payloads('kind: prefix, groups: 1, prefix_tokens: 0'), `6:53: payloads.prefix_tokens: got 0, ${tokens}`],
  [payloads('kind: trace, file: []'), '6:32: payloads.file: got a list, wanted the path of a trace'],
  [payloads('kind: trace, file: ""'), '6:32: payloads.file: got "", wanted the path of a trace'],
  [
    payloads('kind: same, chat: long'),
    '6:31: payloads.chat: got "long", wanted a mapping with prompt_tokens, output_tokens, stream, usage, ...',
  ],
  ...['stream', 'usage', 'ignore_eos'].map(
    (key): FaultRow => [chat(`${key}: 1`), `6:${inChat(key)}: payloads.chat.${key}: got 1, wanted true or false`],
  ),
  [
    chat('temperature: hot'),
    `6:${inChat('temperature')}: payloads.chat.temperature: got "hot", wanted a number from 0 to 2`,
  ],
  [
    chat('temperature: 2.1'),
    `6:${inChat('temperature')}: payloads.chat.temperature: got 2.1, wanted a number from 0 to 2`,
  ],
  [
    `${leastTensors}payloads: { kind: same, tensor: 5 }\n`,
    '6:33: payloads.tensor: got 5, wanted a mapping with name, datatype, shape, rows',
  ],
  [tensor('name: 5'), '6:41: payloads.tensor.name: got 5, wanted the name of a tensor'],
  [tensor('name: ""'), '6:41: payloads.tensor.name: got "", wanted the name of a tensor'],
  ...['5', 'FP16'].map(
    (text): FaultRow => [
      tensor(`datatype: ${text}`),
      `6:45: payloads.tensor.datatype: got ${text === '5' ? 5 : '"FP16"'}, wanted one of UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64, FP32, FP64`,
    ],
  ),
  [tensor('shape: 64'), '6:42: payloads.tensor.shape: got 64, wanted a list of whole numbers'],
  [tensor('shape: [0]'), '6:43: payloads.tensor.shape[0]: got 0, wanted a whole number from 1 to 100000000'],
  ...lengths.flatMap(([path, make, column, wanted]): FaultRow[] => [
    [make('many'), `6:${column}: ${path}: got "many", ${wanted}, or a mapping with kind uniform or lognormal`],
    [make('0'), `6:${column}: ${path}: got 0, ${wanted}`],
    [make('{ kind: normal }'), `6:${column + 8}: ${path}.kind: got "normal", wanted one of uniform, lognormal`],
    [make('{ kind: uniform, from: a, to: 5 }'), `6:${column + 23}: ${path}.from: got "a", ${wanted}`],
    [make('{ kind: uniform, from: 0, to: 5 }'), `6:${column + 23}: ${path}.from: got 0, ${wanted}`],
    [make('{ kind: uniform, from: 1, to: b }'), `6:${column + 30}: ${path}.to: got "b", ${wanted}`],
    [make('{ kind: uniform, from: 1, to: 0 }'), `6:${column + 30}: ${path}.to: got 0, ${wanted}`],
    [make('{ kind: lognormal, mean: a }'), `6:${column + 25}: ${path}.mean: got "a", ${wanted}`],
    [make('{ kind: lognormal, mean: 0 }'), `6:${column + 25}: ${path}.mean: got 0, ${wanted}`],
    [
      make('{ kind: lognormal, mean: 5, variation: a }'),
      `6:${column + 39}: ${path}.variation: got "a", wanted a number from 0 to 100`,
    ],
    [
      make('{ kind: lognormal, mean: 5, variation: -1 }'),
      `6:${column + 39}: ${path}.variation: got -1, wanted a number from 0 to 100`,
    ],
    [make('{ kind: lognormal, mean: 5, most: a }'), `6:${column + 34}: ${path}.most: got "a", ${wanted}`],
    [make('{ kind: lognormal, mean: 5, most: 0 }'), `6:${column + 34}: ${path}.most: got 0, ${wanted}`],
  ]),
];
