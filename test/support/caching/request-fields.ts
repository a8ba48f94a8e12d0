import fc from 'fast-check';
import type { Protocol } from '../../../gateway/pipeline/protocol.ts';
import { openInference } from '../../../gateway/protocols/open-inference.ts';
import { openai } from '../../../gateway/protocols/openai.ts';
import { tfServing } from '../../../gateway/protocols/tf-serving.ts';
import type { Json } from './json-writing.ts';

/** What a field can hold. */
export type Values = fc.Arbitrary<Json>;

/** The fields of a request, as the protocol's own reference lists them, and which of them change no answer. */
export interface RequestFields {
  readonly name: string;
  readonly protocol: Protocol;
  readonly operation: string;
  readonly path?: string;
  readonly fields: Readonly<Record<string, Values>>;
  /** Without these it is no request. */
  readonly required: readonly string[];
  readonly changeNothing: readonly string[];
  /** The characters that may be written as escapes; all, unless said otherwise. */
  readonly escapes?: RegExp;
}

const text: Values = fc.string({ unit: 'binary', maxLength: 12 });
const word: Values = fc.constantFrom('auto', 'none', 'low', 'high', 'json_object');
const whole: Values = fc.nat(5000);
const number: Values = fc.double({ min: -2, max: 2, noNaN: true }).map((value) => Math.round(value * 1e6) / 1e6 + 0);
const flag: Values = fc.boolean();
const list = (values: Values, minLength = 0): Values => fc.array(values, { minLength, maxLength: 3 });
const object = (members: Readonly<Record<string, Values>>): Values => fc.record(members) as unknown as Values;
const either = (...values: Values[]): Values => fc.oneof(...values);

const call = object({ id: text, type: fc.constant('function'), function: object({ name: text, arguments: text }) });
const tool = object({
  type: fc.constant('function'),
  function: object({
    name: text,
    description: text,
    strict: flag,
    parameters: object({ type: word, properties: object({ x: word }) }),
  }),
});
const part = either(
  object({ type: fc.constant('text'), text }),
  object({ type: fc.constant('image_url'), image_url: object({ url: text, detail: word }) }),
);
const message = either(
  object({ role: fc.constantFrom('system', 'user', 'developer'), content: either(text, list(part)), name: text }),
  object({ role: fc.constant('assistant'), content: text, refusal: text, tool_calls: list(call) }),
  object({ role: fc.constant('tool'), content: text, tool_call_id: text }),
);

/** What completions and chats have in common, in the API and in the servers that extend it (vLLM, SGLang). */
const sampling = {
  model: fc.constantFrom('digits', 'another'),
  frequency_penalty: number,
  logit_bias: object({ '50256': whole, '1': whole }),
  max_tokens: whole,
  metadata: object({ trace: text }),
  min_p: number,
  n: whole,
  presence_penalty: number,
  repetition_penalty: number,
  seed: whole,
  stop: either(text, list(text)),
  stop_token_ids: list(whole),
  stream: flag,
  stream_options: object({ include_usage: flag, include_obfuscation: flag }),
  temperature: number,
  top_k: whole,
  top_p: number,
  user: text,
};

const chat = {
  ...sampling,
  messages: list(message, 1),
  audio: object({ voice: word, format: word }),
  chat_template: text,
  chat_template_kwargs: object({ enable_thinking: flag }),
  continue_final_message: flag,
  function_call: word,
  functions: list(object({ name: text, parameters: object({}) })),
  guided_json: object({ type: word }),
  logprobs: flag,
  max_completion_tokens: whole,
  modalities: list(word),
  parallel_tool_calls: flag,
  prediction: object({ type: fc.constant('content'), content: text }),
  prompt_cache_key: text,
  reasoning_effort: word,
  response_format: object({ type: word, json_schema: object({ name: text, schema: object({ type: word }) }) }),
  safety_identifier: text,
  service_tier: word,
  store: flag,
  tool_choice: either(word, object({ type: word, function: object({ name: text }) })),
  tools: list(tool),
  top_logprobs: whole,
  verbosity: word,
  web_search_options: object({ search_context_size: word }),
};

const completion = {
  ...sampling,
  prompt: either(text, list(text), list(whole)),
  best_of: whole,
  echo: flag,
  logprobs: whole,
  suffix: text,
};

const embedding = {
  model: fc.constantFrom('digits', 'another'),
  input: either(text, list(text, 1), list(whole, 1)),
  dimensions: whole,
  encoding_format: fc.constantFrom('float', 'base64'),
  user: text,
};

const inferParameters = object({ priority: whole, timeout: whole, binary_data_output: flag, custom: text });
const tensorIn = object({
  name: text,
  shape: list(whole, 1),
  datatype: fc.constantFrom('FP32', 'FP64', 'INT64'),
  parameters: object({ binary_data_size: whole }),
  data: list(either(number, list(number))),
});
const tensorOut = object({ name: text, parameters: object({ binary_data: flag, classification: whole }) });

const infer = { id: text, parameters: inferParameters, inputs: list(tensorIn, 1), outputs: list(tensorOut) };

const generate = {
  id: text,
  text_input: text,
  parameters: object({ stream: flag, temperature: number, seed: whole, max_tokens: whole, stop: list(text) }),
};

const predict = {
  signature_name: text,
  instances: list(either(number, list(number), object({ image: object({ b64: text }) })), 1),
  inputs: object({ x: list(number) }),
};

/** In letters written so, what a request must not share by could be hidden. */
const allButLetters = /[^@-\x7f]/u;

const notInAnswers = ['user', 'metadata', 'stream'];

/** Every kind of request whose answer can be shared. */
export const requests: readonly RequestFields[] = [
  {
    name: 'chat',
    protocol: openai,
    operation: 'chat',
    fields: chat,
    required: ['model', 'messages'],
    changeNothing: notInAnswers,
  },
  {
    name: 'completion',
    protocol: openai,
    operation: 'completion',
    fields: completion,
    required: ['model', 'prompt'],
    changeNothing: notInAnswers,
  },
  {
    name: 'embedding',
    protocol: openai,
    operation: 'embedding',
    fields: embedding,
    required: ['model', 'input'],
    changeNothing: ['user'],
  },
  {
    name: 'infer',
    protocol: openInference,
    operation: 'infer',
    fields: infer,
    required: ['inputs'],
    changeNothing: ['id'],
    escapes: allButLetters,
  },
  {
    name: 'generate',
    protocol: openInference,
    operation: 'generate',
    fields: generate,
    required: ['text_input'],
    changeNothing: ['id'],
    escapes: allButLetters,
  },
  {
    name: 'generate_stream',
    protocol: openInference,
    operation: 'generate_stream',
    fields: generate,
    required: ['text_input'],
    changeNothing: ['id'],
    escapes: allButLetters,
  },
  {
    name: 'predict',
    protocol: tfServing,
    operation: 'predict',
    path: '/v1/models/digits:predict',
    fields: predict,
    required: [],
    changeNothing: [],
  },
];
