import assert from 'node:assert/strict';
import { type AIMessageChunk, HumanMessage, ToolMessage, type UsageMetadata } from '@langchain/core/messages';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { failure } from './official.ts';
import { apiKey, type OpenAiLibrary, weatherSchema } from './openai-client.ts';

/** `@langchain/openai`, by chat completions. */
export const langchain: OpenAiLibrary = {
  name: '@langchain/openai',
  path: '/v1/chat/completions',
  connect(baseUrl) {
    const options = { apiKey, maxRetries: 0, configuration: { baseURL: baseUrl } };
    const chatOf = (model: string) => new ChatOpenAI({ ...options, model, streamUsage: true });
    return {
      async chat({ model, prompt }) {
        const said = await chatOf(model).invoke(prompt);
        return { text: said.text, ...tokens(said), whole: said };
      },
      async stream({ model, prompt }, heard) {
        const whole: AIMessageChunk[] = [];
        for await (const chunk of await chatOf(model).stream(prompt)) {
          whole.push(chunk);
          heard?.(chunk.text);
        }
        const [first, ...rest] = whole;
        assert.ok(first !== undefined);
        const sum = rest.reduce((soFar, chunk) => soFar.concat(chunk), first);
        return { text: sum.text, ...tokens(sum), whole };
      },
      async useTool({ model, prompt }, weather) {
        const chat = chatOf(model).bindTools([
          { type: 'function', function: { name: 'weather', description: 'The weather.', parameters: weatherSchema } },
        ]);
        const asked = new HumanMessage(prompt);
        const call = await chat.invoke([asked]);
        const results = (call.tool_calls ?? []).map(
          ({ id = '', args }) => new ToolMessage({ tool_call_id: id, content: JSON.stringify(weather(args.city)) }),
        );
        const said = await chat.invoke([asked, call, ...results]);
        return { text: said.text, ...tokens(said), whole: [call, said] };
      },
      async embed(model, texts) {
        return new OpenAIEmbeddings({ ...options, model }).embedDocuments([...texts]);
      },
      failure,
    };
  },
};

function tokens({ usage_metadata: usage }: { usage_metadata?: UsageMetadata | undefined }) {
  return { inputTokens: usage?.input_tokens, outputTokens: usage?.output_tokens };
}
