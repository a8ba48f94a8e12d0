import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { ConfigError } from '../../../gateway/settings/faults.ts';
import { defaultProfile, parseProfile, profileJsonSchema } from '../../../loadtest/model-server/read-profile.ts';
import type { LlmSettings, ServerSettings, TensorSettings } from '../../../loadtest/model-server/settings.ts';
import { schemaKeys, withAllKeys, writtenKeys } from '../../conventions/config-keys.ts';
import { readText } from '../../conventions/sources.ts';

function profileOf(text: string, environment = {}): ServerSettings {
  const kind = /kind: "?llm/.test(text) ? 'llm' : 'tensor';
  return parseProfile(text, { file: 'p.yaml', kind, environment });
}

function faultsOf(text: string): string[] {
  try {
    profileOf(text);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n');
  }
}

for (const [text, told] of [
  ['kind: tensor\nslot: 3', '2:1: slot: got the unknown key slot, wanted the key slots'],
  ['kind: tensor\nslots: 0', '2:8: slots: got 0, wanted a whole number from 1 to 65536'],
  ['kind: tensor\nslots: many', '2:8: slots: got "many", wanted a whole number from 1 to 65536'],
  ['kind: tensor\nname: 5', '2:7: name: got 5, wanted a name'],
  ['kind: tensor\nmodels: []', '2:9: models: got a list, wanted at least one model name'],
  ['kind: tensor\ncolumns: 1.5', '2:10: columns: got 1.5, wanted a whole number from 1 to 1000000'],
  [
    'kind: tensor\nservice: { time: normal }',
    '2:18: service.time: got "normal", wanted one of fixed, exponential, lognormal, by_rows',
  ],
  [
    'kind: tensor\nservice: { time: fixed, mean: 5 }',
    '2:31: service.mean: got 5, wanted a duration such as 250ms, 30s or 5m',
  ],
  [
    'kind: tensor\nservice: { time: fixed, variation: 1, mean: 5ms }',
    '2:25: service.variation: got the unknown key variation, wanted one of the keys time, mean',
  ],
  [
    'kind: tensor\nservice: { time: lognormal, mean: 5ms, variation: -1 }',
    '2:51: service.variation: got -1, wanted a number from 0',
  ],
  ['kind: tensor\nqueue: { refusal: 500 }', '2:19: queue.refusal: got 500, wanted 503 or 429'],
  ['kind: tensor\nqueue: { max: -1 }', '2:15: queue.max: got -1, wanted a whole number from 0'],
  [
    'kind: tensor\ntells: { metrics: graphite }',
    '2:19: tells.metrics: got "graphite", wanted one of vllm, sglang, triton, tgi, llama-cpp, none',
  ],
  ['kind: tensor\ntells: { orca: xml }', '2:16: tells.orca: got "xml", wanted one of asked, text, json, bin, none'],
  [
    'kind: tensor\ntells: { orca_names: tgi }',
    '2:22: tells.orca_names: got "tgi", wanted one of headgate, vllm, triton',
  ],
  ['kind: llm\nlike: 13b', '2:7: like: got "13b", wanted one of 8b-h100, 70b-8xh100'],
  ['kind: llm\nprefill: { base: 30 }', '2:18: prefill.base: got 30, wanted a duration such as 250ms, 30s or 5m'],
  ['kind: llm\nfull_batch: 0.5', '2:13: full_batch: got 0.5, wanted a number from 1'],
  ['kind: llm\nsequences: 0', '2:12: sequences: got 0, wanted a whole number from 1 to 65536'],
  ['kind: llm\nkv_tokens: 0', '2:12: kv_tokens: got 0, wanted a whole number from 1'],
  ['kind: llm\nblock_tokens: 0', '2:15: block_tokens: got 0, wanted a whole number from 1 to 65536'],
  ['kind: llm\nprefix_cache: yes', '2:15: prefix_cache: got "yes", wanted true or false'],
  ['kind: llm\noutput_tokens: 0', '2:16: output_tokens: got 0, wanted a whole number from 1 to 1000000'],
  ['kind: llm\nstream_head: late', '2:14: stream_head: got "late", wanted one of at_once, first_token'],
  [
    'kind: llm\nslots: 3',
    '2:1: slots: got the unknown key slots, wanted one of the keys kind, name, models, queue, faults, tells, like, prefill, inter_token, full_batch, sequences, kv_tokens, block_tokens, prefix_cache, output_tokens, stream_head',
  ],
  ['kind: gpu', '1:7: kind: got "gpu", wanted one of tensor, llm'],
  ['models: [m]', '1:1: kind: got nothing, wanted one of tensor, llm'],
  ['kind: tensor\nfaults: 3', '2:9: faults: got 3, wanted a list of faults'],
  [
    'kind: tensor\nfaults: [{ kind: explode }]',
    '2:18: faults[0].kind: got "explode", wanted one of slow, pause, fail, reset, stall, hang, refuse, cold_start, interruption',
  ],
  ['kind: tensor\nfaults: [{ kind: slow }]', '2:10: faults[0].by: got nothing, wanted a number from 1'],
  ['kind: tensor\nfaults: [{ kind: slow, by: 0.5 }]', '2:28: faults[0].by: got 0.5, wanted a number from 1'],
  [
    'kind: tensor\nfaults: [{ kind: pause, at: 5 }]',
    '2:29: faults[0].at: got 5, wanted a duration such as 250ms, 30s or 5m',
  ],
  [
    'kind: tensor\nfaults: [{ kind: pause, for: 0s }]',
    '2:30: faults[0].for: got "0s", wanted a duration from 1ms to 24d',
  ],
  ['kind: tensor\nfaults: [{ kind: hang, share: 0.2 }]', '2:31: faults[0].share: got 0.2, wanted a share such as 20%'],
  [
    'kind: tensor\nfaults: [{ kind: hang, share: 120% }]',
    '2:31: faults[0].share: got "120%", wanted a share above 0% and up to 100%',
  ],
  [
    'kind: tensor\nfaults: [{ kind: fail, status: 200 }]',
    '2:32: faults[0].status: got 200, wanted a whole number from 400 to 599',
  ],
  [
    'kind: tensor\nfaults: [{ kind: stall, after_tokens: 0 }]',
    '2:39: faults[0].after_tokens: got 0, wanted a whole number from 1 to 1000000',
  ],
  [
    'kind: tensor\nfaults: [{ kind: refuse, share: 20% }]',
    '2:26: faults[0].share: got the unknown key share, wanted one of the keys kind, server, at, for',
  ],
  [
    'kind: tensor\nfaults: [{ kind: refuse, server: a }]',
    '2:34: faults[0].server: got "a", wanted no server, since it is the one this stands under',
  ],
  [
    `kind: tensor\nname: \${NAME}`,
    `2:7: got \${NAME}, which is not set, wanted the environment variable NAME, or a default: \${NAME:-...}`,
  ],
  ['kind: tensor\nkind: llm', '2:1: got YAML that cannot be read (Map keys must be unique), wanted valid YAML'],
] as const) {
  test(`one fault is told: ${told}`, () => {
    assert.deepEqual(faultsOf(text), [`p.yaml:${told}`]);
  });
}

test('several faults are all told, in the order of their places', () => {
  const text = 'queue: { max: x }\nkind: tensor\nfaults: [{ kind: hang, at: 1 }, { kind: nap }]\nslots: 0';
  const places = faultsOf(text).map((fault) => fault.replace(/: got .*/, ''));
  assert.deepEqual(places, [
    'p.yaml:1:15: queue.max',
    'p.yaml:3:28: faults[0].at',
    'p.yaml:3:41: faults[1].kind',
    'p.yaml:4:8: slots',
  ]);
});

test('a profile of the other kind than was asked for is a fault', () => {
  const read = (): unknown => parseProfile('kind: llm', { file: 'p.yaml', kind: 'tensor', environment: {} });
  assert.throws(read, { message: 'p.yaml:1:7: kind: got "llm", wanted tensor, as --kind says' });
});

test('a number may come from the environment', () => {
  const { slots } = profileOf(`kind: tensor\nslots: \${SLOTS}`, { SLOTS: '3' }) as TensorSettings;
  assert.equal(slots, 3);
});

test('what is not written is as the latency profile has it, what is written is as written', () => {
  const { latency } = profileOf('kind: llm\nlike: 70b-8xh100\nprefill: { base: 90ms }\nsequences: 8') as LlmSettings;
  assert.deepEqual(latency, {
    prefill: { baseMs: 90, perTokenMs: 0.5, spreadMs: 15 },
    interToken: { meanMs: 25, spreadMs: 4 },
    fullBatchFactor: 3,
    maxSequences: 8,
    kvTokens: Math.floor((8 * 80e9 * 0.9 - 140e9) / (320 * 1024)),
  });
});

test('each fault means what it says', () => {
  const faults = (text: string): unknown => profileOf(`kind: tensor\nfaults: [${text}]`).faults;
  const base = { server: null, atMs: 0, untilMs: Number.POSITIVE_INFINITY };
  assert.deepEqual(faults('{ kind: fail }'), [{ ...base, kind: 'fail', share: 1, status: 500, retryAfterMs: null }]);
  assert.deepEqual(faults('{ kind: slow, at: 2s, for: 1s, by: 2 }'), [
    { ...base, atMs: 2000, untilMs: 3000, kind: 'slow', by: 2 },
  ]);
  assert.deepEqual(faults('{ kind: interruption, at: 1s, for: 5s }'), [
    { ...base, atMs: 1000, untilMs: 126_000, kind: 'interruption', noticeMs: 120_000 },
  ]);
});

test('loadtest/profiles/schema.json is the schema of profiles', () => {
  const written = JSON.parse(readText('loadtest/profiles/schema.json'));
  assert.deepEqual(written, JSON.parse(JSON.stringify(profileJsonSchema())), 'run `npm run schema`');
});

for (const kind of ['llm', 'tensor'] as const) {
  const file = `loadtest/profiles/${kind}.yaml`;

  test(`${file} is valid, shows every key, explains it, and names the default that it has`, () => {
    const text = readText(file);
    const settings = parseProfile(text, { file, kind, environment: {} });
    assert.deepEqual({ ...settings, faults: [] }, defaultProfile(kind));
    const { anyOf: kinds = [] } = withAnyOf(profileJsonSchema());
    const [tensor, llm] = kinds;
    // Which server a fault befalls is for scenarios with several.
    const keys = schemaKeys(kind === 'llm' ? llm : tensor)
      .filter(({ path }) => path !== 'faults[].server')
      .filter(({ path }) => kind === 'tensor' || !path.startsWith('faults[]'));
    const written = writtenKeys(withAllKeys(text));
    const lacking = keys.filter(({ path, fallback }) => {
      const isFault = path.startsWith('faults[]');
      return !written.some(
        (one) => one.path === path && (isFault || fallback === null || one.comment.includes(`Default ${fallback}.`)),
      );
    });
    assert.deepEqual(lacking, []);
    for (const { path, comment, line } of written)
      if (!path.startsWith('faults[]')) assert.notEqual(comment, '', `${file}:${line}`);
    assert.ok(parse(text).kind === kind);
  });
}

/** Of the two ways in which a schema says that there are several forms, the one that `schemaKeys` reads. */
function withAnyOf(schema: object): { anyOf?: object[] } {
  return JSON.parse(JSON.stringify(schema).replaceAll('"oneOf":', '"anyOf":'));
}
