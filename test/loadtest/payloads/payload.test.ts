import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seedsOf } from '../../../loadtest/arrivals/seeds.ts';
import { type Payload, payloadsOf } from '../../../loadtest/payloads/payload.ts';
import { textOf } from '../../../loadtest/payloads/words.ts';
import { least, leastTensors, load, withTop } from '../scenario/yaml.ts';

interface ChatBody {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
}

/** Some payloads of a scenario. */
function payloads(yaml: string, count: number, seed = 1): Payload[] {
  const scenario = load(yaml);
  const [target] = scenario.targets;
  assert.ok(target);
  const payloadOf = payloadsOf(scenario.payloads, target, seedsOf(seed));
  return Array.from({ length: count }, (_, index) => payloadOf(index));
}

const chats = (text: string, count: number): Payload[] => payloads(withTop(`payloads: { ${text} }`), count);
const tensors = (text: string, count: number): Payload[] => payloads(`${leastTensors}payloads: { ${text} }\n`, count);

function bodyOf({ body }: Payload): Record<string, unknown> {
  return JSON.parse(body.toString()) as Record<string, unknown>;
}

function promptOf(payload: Payload): string {
  const { messages } = JSON.parse(payload.body.toString()) as ChatBody;
  assert.equal(messages.length, 1);
  assert.equal(messages[0]?.role, 'user');
  return messages[0].content;
}

const distinct = (all: readonly Payload[]): number => new Set(all.map(({ body }) => body.toString())).size;

test('a chat asks the model for a stream with usage, and for at most so many tokens', () => {
  const [chat] = chats('kind: unique, chat: { prompt_tokens: 10, output_tokens: 5 }', 1);
  assert.ok(chat);
  const { messages, ...rest } = bodyOf(chat);
  assert.ok(Array.isArray(messages));
  assert.deepEqual(rest, { model: 'm', max_tokens: 5, stream: true, stream_options: { include_usage: true } });
  assert.equal(chat.path, '/v1/chat/completions');
  assert.deepEqual([chat.isStreaming, chat.inputTokens, chat.outputTokens], [true, 10, 5]);
});

test('each option of a chat says something else', () => {
  const restOf = (text: string): unknown => {
    const [chat] = chats(`kind: same, chat: { output_tokens: 5, ${text} }`, 1);
    assert.ok(chat);
    const { messages, model, max_tokens, ...rest } = bodyOf(chat);
    return [chat.isStreaming, rest];
  };
  assert.deepEqual(restOf('stream: false'), [false, {}]);
  assert.deepEqual(restOf('usage: false'), [true, { stream: true }]);
  assert.deepEqual(restOf('stream: false, ignore_eos: true'), [false, { ignore_eos: true }]);
  assert.deepEqual(restOf('stream: false, temperature: 0'), [false, { temperature: 0 }]);
});

test('a prompt has four bytes for each token and a word for each, of 64 different ones', () => {
  const all = chats('kind: unique, chat: { prompt_tokens: 200 }', 200).map(promptOf);
  const words = new Set(all.flatMap((prompt) => prompt.trim().split(' ')));
  assert.ok(all.every((prompt) => Buffer.byteLength(prompt) === 800 && prompt.trim().split(' ').length === 200));
  assert.equal(words.size, 64);
  assert.ok([...words].every((word) => /^[a-z]{3}$/.test(word)));
});

test('a prompt is as long as its payload says, however its length comes about', () => {
  const row = '{"timestamp": 0, "input_length": 1030, "output_length": 5, "hash_ids": [0, 1, 2]}';
  const traced = load(withTop('payloads: { kind: trace, file: t.jsonl }'), { 't.jsonl': row });
  const [target] = traced.targets;
  assert.ok(target);
  const all = [
    payloadsOf(traced.payloads, target, seedsOf(1))(0),
    ...chats('kind: unique, chat: { prompt_tokens: { kind: lognormal, mean: 40 } }', 50),
    ...chats(
      'kind: prefix, groups: 2, prefix_tokens: 9, chat: { prompt_tokens: { kind: uniform, from: 1, to: 9 } }',
      50,
    ),
  ];
  assert.equal(all[0]?.inputTokens, 1030);
  for (const payload of all) assert.equal(promptOf(payload).length, 4 * payload.inputTokens);
});

test('unique prompts are unique from their first six tokens on, mostly from the first', () => {
  assert.equal(distinct(chats('kind: unique, chat: { prompt_tokens: 6 }', 10_000)), 10_000);
  assert.equal(distinct(chats('kind: unique, chat: { prompt_tokens: 2 }', 4096)), 4096);
  assert.equal(new Set(chats('kind: unique', 64).map((chat) => promptOf(chat).slice(0, 4))).size, 64);
});

test('the same payload is the same for every request', () => {
  assert.equal(distinct(chats('kind: same, chat: { prompt_tokens: { kind: uniform, from: 1, to: 99 } }', 100)), 1);
  assert.equal(distinct(tensors('kind: same', 100)), 1);
});

test('payloads that Zipf repeats are as many as there are keys, each with a length of its own', () => {
  const all = chats(
    'kind: zipf, s: 0.5, keys: 40, chat: { prompt_tokens: { kind: uniform, from: 10, to: 99999 } }',
    2000,
  );
  assert.equal(distinct(all), 40);
  assert.ok(new Set(all.map(({ inputTokens }) => inputTokens)).size > 30);
});

test('prompts of a group begin alike and go on apart', () => {
  const all = chats('kind: prefix, groups: 8, prefix_tokens: 600, chat: { prompt_tokens: 20 }', 400).map(promptOf);
  assert.ok(all.every((prompt) => prompt.length === 4 * 620));
  const sizes = [...Map.groupBy(all, (prompt) => prompt.slice(0, 2400)).values()].map((group) => group.length);
  assert.equal(sizes.length, 8);
  // Of 400 in 8 groups: 50 each, give or take 4 standard deviations of 6.6.
  assert.ok(
    sizes.every((size) => size > 23 && size < 77),
    sizes.join(', '),
  );
  assert.equal(new Set(all.map((prompt) => prompt.slice(2400))).size, 400);
});

test('a tensor has its rows, its shape, and whole numbers from 0 to 16', () => {
  const yaml =
    'kind: unique, tensor: { name: x, datatype: INT32, shape: [4, 2], rows: { kind: uniform, from: 1, to: 3 } }';
  const all = tensors(yaml, 60);
  const rows = all.map((payload) => {
    const { inputs, ...rest } = bodyOf(payload) as {
      inputs: { name: string; datatype: string; shape: number[]; data: number[] }[];
    };
    assert.deepEqual(rest, {});
    const [input] = inputs;
    assert.ok(input);
    assert.deepEqual([input.name, input.datatype, input.shape.slice(1)], ['x', 'INT32', [4, 2]]);
    assert.equal(input.data.length, (input.shape[0] ?? 0) * 8);
    assert.ok(input.data.every((value) => Number.isInteger(value) && value >= 0 && value <= 16));
    return input.shape[0];
  });
  assert.deepEqual(new Set(rows), new Set([1, 2, 3]));
  assert.equal(distinct(tensors('kind: unique', 5000)), 5000);
  assert.deepEqual([all[0]?.path, all[0]?.isStreaming, all[0]?.inputTokens], ['/v2/models/m/infer', false, 0]);
});

test('a model whose name needs it is escaped in paths and in JSON', () => {
  const named = (text: string): string => text.replace('model: m', `model: 'a/b "c"'`);
  assert.equal(payloads(named(leastTensors), 1)[0]?.path, '/v2/models/a%2Fb%20%22c%22/infer');
  const [chat] = payloads(named(least), 1);
  assert.ok(chat);
  assert.equal(bodyOf(chat).model, 'a/b "c"');
});

test('a body is made when it is read, and is the same each time', () => {
  const [chat] = chats('kind: unique', 1);
  assert.ok(chat);
  assert.notEqual(chat.body, chat.body);
  assert.deepEqual(chat.body, chat.body);
});

test('stretches with equal seeds and keys are equal as far as the shorter goes', () => {
  const long = textOf([{ seed: 5, key: 3, tokens: 512 }]).toString();
  assert.ok(long.startsWith(textOf([{ seed: 5, key: 3, tokens: 77 }]).toString()));
  assert.notEqual(textOf([{ seed: 6, key: 3, tokens: 512 }]).toString(), long);
});
