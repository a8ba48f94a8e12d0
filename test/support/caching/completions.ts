import fc from 'fast-check';

/** An object of JSON. */
export type Members = Readonly<Record<string, unknown>>;

/** A whole answer to a chat or a completion. */
export interface Completion extends Members {
  readonly id: string;
  readonly choices: readonly Members[];
}

/** The kinds of completions, as the protocol calls their operations. */
export const kinds = ['chat', 'completion'] as const;

const text = fc.string({
  unit: fc.constantFrom('a', 'b', ' ', '"', '\\', '\n', '\r', 'é', '😀', '家', '{"id":"x"}', 'data: [DONE]', 'error'),
});
const hexa = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 1 });
const filled = text.filter((one) => one !== '');
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => one + 0);

const token = fc.record({ token: text, logprob: number, bytes: fc.array(fc.nat(255)), top_logprobs: fc.constant([]) });
const chatLogprobs = fc.option(fc.record({ content: fc.array(token), refusal: fc.constant(null) }));
const textLogprobs = fc.option(
  fc.record({ tokens: fc.array(text), token_logprobs: fc.array(number), text_offset: fc.array(fc.nat()) }),
);

const call = fc.record({
  id: hexa.map((id) => `call_${id}`),
  type: fc.constant('function'),
  function: fc.record({ name: filled, arguments: text }),
});

const message = fc.record(
  {
    role: fc.constant('assistant'),
    content: fc.option(text),
    refusal: fc.option(text),
    reasoning_content: text,
    tool_calls: fc.array(call, { maxLength: 3 }),
    annotations: fc.array(fc.record({ url: text }), { maxLength: 2 }),
    __headgate_unheard_of: fc.oneof(fc.integer(), fc.boolean(), text, fc.array(fc.integer())),
  },
  { requiredKeys: ['role', 'content'] },
);

const reason = fc.constantFrom('stop', 'length', 'tool_calls');
const ending = {
  finish_reason: reason,
  stop_reason: fc.option(fc.oneof(fc.nat(), filled)),
  token_ids: fc.array(fc.nat()),
};
const ended = { requiredKeys: ['finish_reason' as const] };

const chatChoice = fc
  .tuple(fc.record({ message, logprobs: chatLogprobs }, { requiredKeys: ['message'] }), fc.record(ending, ended))
  .map(([said, end]) => ({ ...said, ...end }));
const textChoice = fc
  .tuple(fc.record({ text, logprobs: textLogprobs }, { requiredKeys: ['text'] }), fc.record(ending, ended))
  .map(([said, end]) => ({ ...said, ...end }));

const usage = fc.record({ prompt_tokens: fc.nat(), completion_tokens: fc.nat(), total_tokens: fc.nat() });

/** Answers of a kind with whatever servers put into them, and with usage. */
export function completions(kind: (typeof kinds)[number]): fc.Arbitrary<Completion> {
  const isChat = kind === 'chat';
  const choice: fc.Arbitrary<Members> = isChat ? chatChoice : textChoice;
  const choices = fc.array(choice, { minLength: 1, maxLength: 3 });
  const answers = fc.record(
    {
      id: hexa.map((id) => `${isChat ? 'chatcmpl' : 'cmpl'}-${id}`),
      object: fc.constant(isChat ? 'chat.completion' : 'text_completion'),
      created: fc.nat(),
      model: filled,
      choices: choices.map((all) => all.map((choice, index) => ({ index, ...choice }))),
      usage,
      system_fingerprint: fc.option(text),
      service_tier: filled,
    },
    { requiredKeys: ['id', 'object', 'created', 'model', 'choices', 'usage'] },
  );
  return answers.map((answer) => JSON.parse(JSON.stringify(answer)) as Completion);
}
