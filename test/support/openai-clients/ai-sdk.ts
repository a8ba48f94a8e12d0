import assert from 'node:assert/strict';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import {
  APICallError,
  type EmbeddingModel,
  embedMany,
  generateText,
  jsonSchema,
  type LanguageModel,
  type LanguageModelUsage,
  stepCountIs,
  streamText,
  type TextStreamPart,
  type ToolSet,
  tool,
} from 'ai';
import {
  type Answer,
  apiKey,
  type Failure,
  type OpenAiClient,
  type OpenAiLibrary,
  weatherSchema,
} from './openai-client.ts';

/** `ai` with `@ai-sdk/openai`, which talks to `/v1/responses` unless told otherwise. */
export const aiSdkOpenAi: OpenAiLibrary = {
  name: '@ai-sdk/openai',
  path: '/v1/responses',
  connect(baseUrl) {
    const provider = createOpenAI({ baseURL: baseUrl, apiKey });
    return connect(
      (model) => provider(model),
      (model) => provider.embedding(model),
    );
  },
};

/** `ai` with `@ai-sdk/openai-compatible`, by chat completions. */
export const aiSdkCompatible: OpenAiLibrary = {
  name: '@ai-sdk/openai-compatible',
  path: '/v1/chat/completions',
  connect(baseUrl) {
    const provider = createOpenAICompatible({ name: 'headgate', baseURL: baseUrl, apiKey, includeUsage: true });
    return connect(
      (model) => provider(model),
      (model) => provider.embeddingModel(model),
    );
  },
};

function connect(
  languageModel: (name: string) => LanguageModel,
  embeddingModel: (name: string) => EmbeddingModel,
): OpenAiClient {
  return {
    async chat({ model, prompt }) {
      const { text, usage, finishReason, response } = await generateText({
        model: languageModel(model),
        prompt,
        maxRetries: 0,
      });
      return { text, ...tokens(usage), whole: { usage, finishReason, response } };
    },
    async stream({ model, prompt }, heard) {
      return readAll(streamText({ model: languageModel(model), prompt, maxRetries: 0, onError() {} }), heard);
    },
    async useTool({ model, prompt }, weather) {
      const tools = {
        weather: tool({
          description: 'The weather in a city.',
          inputSchema: jsonSchema<{ city: string }>(weatherSchema),
          execute: async ({ city }) => weather(city),
        }),
      };
      const stopWhen = stepCountIs(2);
      return readAll(streamText({ model: languageModel(model), prompt, tools, stopWhen, maxRetries: 0, onError() {} }));
    },
    async embed(model, texts) {
      const { embeddings } = await embedMany({ model: embeddingModel(model), values: [...texts], maxRetries: 0 });
      return embeddings;
    },
    failure,
  };
}

interface Streamed {
  readonly fullStream: AsyncIterable<TextStreamPart<ToolSet>>;
  readonly totalUsage: PromiseLike<LanguageModelUsage>;
}

/** Reads a stream to its end; an error in it is thrown, as a part of type `error` is how the library tells it. */
async function readAll(result: Streamed, heard?: (text: string) => void): Promise<Answer> {
  const whole: unknown[] = [];
  let text = '';
  for await (const part of result.fullStream) {
    if (part.type === 'error') throw part.error;
    if (part.type === 'text-delta') {
      text += part.text;
      heard?.(part.text);
    }
    whole.push(part);
  }
  return { text, ...tokens(await result.totalUsage), whole };
}

function failure(error: unknown): Failure {
  assert.ok(APICallError.isInstance(error), String(error));
  return {
    kind: error.name,
    status: error.statusCode,
    message: error.message,
    details: { data: error.data, isRetryable: error.isRetryable },
    retryAfter: error.responseHeaders?.['retry-after'] ?? null,
  };
}

function tokens({ inputTokens, outputTokens }: LanguageModelUsage) {
  return { inputTokens, outputTokens };
}
