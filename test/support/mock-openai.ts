import { LLMock } from '@copilotkit/aimock';
import type { Scope } from './gateway-process.ts';

/** What the mock can be asked, and what it then does. */
export const prompts = {
  /** It answers `answer`. */
  plain: 'say hello',
  /** It calls the tool `weather`, and answers `forecast` when it has the result. */
  tool: 'what is the weather in Oulu',
  /** It breaks the connection after some chunks, where it streams. */
  broken: 'break off',
  /** It gives `answer` at an even pace, for longer than a second where it streams. */
  slow: 'say it slowly',
  /** It finds fault with the request: 400. */
  refused: 'say nothing good',
  /** It has too much to do: 429, try again in a second. */
  busy: 'say when busy',
} as const;

export const answer = 'Grüße from the head of the canal: 水 flows, 🚰 too.';
export const forecast = 'It is -12 °C in Oulu.';
export const toolArguments = { city: 'Oulu' };
export const toolResult = { celsius: -12 };
export const usage = { input: 17, output: 23 };
export const embedding: readonly number[] = [0.5, -0.25, 0.125];

/** A mock of OpenAI that always says the same, but for the ids of parts of a response. */
export async function startMockOpenAi(scope: Scope): Promise<LLMock> {
  const mock = new LLMock({ port: 0, chunkSize: 7 });
  const envelope = (id: string) => ({
    id,
    created: 1_700_000_000,
    usage: { prompt_tokens: usage.input, completion_tokens: usage.output },
  });
  mock.onMessage(prompts.plain, { content: answer, ...envelope('answer-1') });
  mock.on(
    { userMessage: prompts.tool, hasToolResult: false },
    { toolCalls: [{ id: 'call_1', name: 'weather', arguments: toolArguments }], ...envelope('answer-2') },
  );
  mock.on({ userMessage: prompts.tool, hasToolResult: true }, { content: forecast, ...envelope('answer-3') });
  // Slow enough that the head and some chunks are with the client before the connection breaks.
  mock.onMessage(
    prompts.broken,
    { content: answer, ...envelope('answer-4') },
    { truncateAfterChunks: 6, streamingProfile: { ttft: 10, tps: 100 } },
  );
  mock.onMessage(
    prompts.slow,
    { content: answer, ...envelope('answer-5') },
    { streamingProfile: { ttft: 10, tps: 7 } },
  );
  mock.onMessage(prompts.refused, {
    error: { message: 'No such thing.', type: 'invalid_request_error', param: 'messages', code: 'bad_messages' },
    status: 400,
  });
  mock.onMessage(prompts.busy, {
    error: { message: 'Too much to do.', type: 'rate_limit_error', code: 'rate_limit_exceeded' },
    status: 429,
    retryAfter: 1,
  });
  mock.onEmbedding(/./, { embedding: [...embedding] });
  await mock.start();
  scope.after(() => mock.stop());
  return mock;
}
