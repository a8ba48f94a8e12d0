import assert from 'node:assert/strict';
import OpenAI, { APIError } from 'openai';
import type { RunnableToolFunctionWithParse } from 'openai/lib/RunnableFunction';
import {
  apiKey,
  type Failure,
  type OpenAiClient,
  type OpenAiLibrary,
  type Wish,
  weatherSchema,
} from './openai-client.ts';

/** `openai`, by chat completions. */
export const official: OpenAiLibrary = {
  name: 'openai',
  path: '/v1/chat/completions',
  connect(baseUrl) {
    const { chat, embeddings } = new OpenAI({ baseURL: baseUrl, apiKey, maxRetries: 0 });
    return {
      async chat(wish) {
        const whole = await chat.completions.create(asRequest(wish));
        return { text: whole.choices[0]?.message.content ?? '', ...tokens(whole.usage), whole };
      },
      async stream(wish, heard) {
        const whole: OpenAI.ChatCompletionChunk[] = [];
        const wanted = { ...asRequest(wish), stream: true, stream_options: { include_usage: true } } as const;
        for await (const chunk of await chat.completions.create(wanted)) {
          whole.push(chunk);
          heard?.(chunk.choices[0]?.delta.content ?? '');
        }
        const text = whole.map(({ choices }) => choices[0]?.delta.content ?? '').join('');
        return { text, ...tokens(whole.at(-1)?.usage), whole };
      },
      async useTool(wish, weather) {
        const runner = chat.completions.runTools({
          ...asRequest(wish),
          stream: true,
          stream_options: { include_usage: true },
          tools: [asTool(weather)],
        });
        const text = (await runner.finalContent()) ?? '';
        return { text, ...tokens(await runner.totalUsage()), whole: runner.allChatCompletions() };
      },
      async embed(model, texts) {
        const { data } = await embeddings.create({ model, input: [...texts] });
        return data.map(({ embedding }) => embedding);
      },
      failure,
    } satisfies OpenAiClient;
  },
};

/** `@langchain/openai` throws these errors as well. */
export function failure(error: unknown): Failure {
  assert.ok(error instanceof APIError, String(error));
  return {
    kind: error.constructor.name,
    status: error.status,
    message: error.message,
    details: error.error,
    retryAfter: error.headers?.get('retry-after') ?? null,
  };
}

function asRequest({ model, prompt }: Wish) {
  return { model, messages: [{ role: 'user' as const, content: prompt }] };
}

function asTool(weather: (city: string) => object): RunnableToolFunctionWithParse<{ city: string }> {
  return {
    type: 'function',
    function: {
      name: 'weather',
      description: 'The weather in a city.',
      parameters: weatherSchema,
      parse: (text: string): { city: string } => JSON.parse(text),
      function: ({ city }: { city: string }) => weather(city),
    },
  };
}

function tokens(usage: OpenAI.CompletionUsage | null | undefined) {
  return { inputTokens: usage?.prompt_tokens, outputTokens: usage?.completion_tokens };
}
