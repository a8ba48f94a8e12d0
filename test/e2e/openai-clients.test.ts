import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LLMock } from '@copilotkit/aimock';
import OpenAI from 'openai';
import { answer, embedding, forecast, prompts, toolArguments, toolResult, usage } from '../support/mock-openai.ts';
import { aiSdkCompatible, aiSdkOpenAi } from '../support/openai-clients/ai-sdk.ts';
import { models, openWays, same } from '../support/openai-clients/both-ways.ts';
import { langchain } from '../support/openai-clients/langchain.ts';
import { official } from '../support/openai-clients/official.ts';
import { apiKey, type Failure, type OpenAiClient } from '../support/openai-clients/openai-client.ts';

const [model] = models;

for (const library of [official, aiSdkOpenAi, aiSdkCompatible, langchain]) {
  describe(`through the gateway, ${library.name}`, () => {
    const ways = openWays(library);

    for (const one of models) {
      it(`gets the answer it gets without it, from ${one}`, async () => {
        const got = await same(ways(), (client) => client.chat({ model: one, prompt: prompts.plain }));
        assert.equal(got.text, answer);
        assert.deepEqual([got.inputTokens, got.outputTokens], [usage.input, usage.output]);
      });

      it(`gets the stream it gets without it, part for part and with usage, from ${one}`, async () => {
        const got = await same(ways(), (client) => client.stream({ model: one, prompt: prompts.plain }));
        assert.equal(got.text, answer);
        assert.deepEqual([got.inputTokens, got.outputTokens], [usage.input, usage.output]);
      });

      it(`has its tool called and gets the answer on the result, from ${one}`, async () => {
        const calls: string[] = [];
        const got = await same(ways(), (client) =>
          client.useTool({ model: one, prompt: prompts.tool }, (city) => {
            calls.push(city);
            return toolResult;
          }),
        );
        assert.equal(got.text, forecast);
        assert.deepEqual(calls, [toolArguments.city, toolArguments.city]);
      });

      it(`gets the embeddings it gets without it, from ${one}`, async () => {
        const got = await same(ways(), (client) => client.embed(one, ['one', 'two']));
        assert.deepEqual(got, [embedding, embedding]);
      });
    }

    it('sends the replica what it would send without it, but for its credential', async () => {
      const { mock, direct, through } = ways();
      const without = await requestsOf(mock, direct);
      const got = await requestsOf(mock, through);
      assert.ok(
        without.some(({ path }) => path === library.path),
        JSON.stringify(without),
      );
      assert.deepEqual(got, without);
      assert.deepEqual(
        mock.getRequests().filter(({ headers }) => 'authorization' in headers),
        [],
      );
    });

    it('understands that a request was refused', async () => {
      const { direct, through } = ways();
      const [without, got] = await Promise.all([direct, through].map((client) => failureOf(client, prompts.refused)));
      assert.deepEqual(got, without);
      assert.equal(got?.status, 400);
      assert.match(JSON.stringify(got), /No such thing\..*bad_messages/);
    });

    it('understands that a model is unknown, which the gateway says itself', async () => {
      const got = await failureOf(ways().through, prompts.plain, 'gpt-unheard-of');
      assert.equal(got.status, 404);
      assert.match(got.message, /gpt-unheard-of/);
      assert.match(JSON.stringify(got.details), /"type":"invalid_request_error".*"code":"model_not_found"/);
    });

    it('gets an error, and never a short answer, when the stream breaks', async () => {
      const { direct, through } = ways();
      for (const client of [direct, through]) {
        const { heard, thrown } = await brokenStream(client);
        assert.ok(heard.length > 0 && heard.length < answer.length && answer.startsWith(heard), `it heard: ${heard}`);
        assert.ok(thrown instanceof Error, String(thrown));
      }
    });

    it('reads in the last event of a broken stream what the gateway says of it', async () => {
      const { thrown } = await brokenStream(ways().through);
      assert.ok(thrown instanceof Error && 'code' in thrown, String(thrown));
      assert.equal(thrown.message, 'replica llm/a broke off in the middle of its answer');
      assert.equal(thrown.code, 'upstream_broken');
    });

    it('gets an error when the replica breaks before it answers', async () => {
      const { mock, through } = ways();
      mock.setChaos({ disconnectRate: 1 });
      try {
        const got = await failureOf(through, prompts.plain);
        assert.equal(got.status, 502);
      } finally {
        mock.clearChaos();
      }
    });

    // Last, since the replica then rests for a second.
    it('understands that the replica is busy, and for how long', async () => {
      const { direct, through } = ways();
      const without = await failureOf(direct, prompts.busy);
      const got = await failureOf(through, prompts.busy);
      assert.deepEqual(got, without);
      assert.deepEqual([got.status, got.retryAfter], [429, '1']);
    });
  });
}

describe('through the gateway, `models` of openai', () => {
  const ways = openWays(official);

  it('lists what clients may ask for', async () => {
    const client = new OpenAI({ baseURL: `${ways().gateway.client}/v1`, apiKey, maxRetries: 0 });
    const listed = await client.models.list();
    assert.deepEqual(listed.data.map(({ id }) => id).toSorted(), models.toSorted());
    for (const one of listed.data) {
      assert.deepEqual(typesOf(one), { id: 'string', object: 'string', created: 'number', owned_by: 'string' });
      assert.equal(one.object, 'model');
      assert.deepEqual(await client.models.retrieve(one.id), one);
    }
  });

  it('has no model that nobody serves', async () => {
    const client = new OpenAI({ baseURL: `${ways().gateway.client}/v1`, apiKey, maxRetries: 0 });
    await assert.rejects(client.models.retrieve('gpt-unheard-of'), OpenAI.NotFoundError);
  });
});

async function failureOf(client: OpenAiClient, prompt: string, wanted: string = model): Promise<Failure> {
  const thrown = await client.chat({ model: wanted, prompt }).then(
    ({ text }) => assert.fail(`it answered: ${text}`),
    (error: unknown) => error,
  );
  return client.failure(thrown);
}

/** What a client hears of a stream that breaks, and what it throws then. */
async function brokenStream(client: OpenAiClient): Promise<{ heard: string; thrown: unknown }> {
  let heard = '';
  const wish = { model, prompt: prompts.broken };
  const thrown = await client
    .stream(wish, (text) => (heard += text))
    .then(
      ({ text }) => assert.fail(`it ended with: ${text}`),
      (error: unknown) => error,
    );
  return { heard, thrown };
}

/** What a client sends for a chat, a stream and embeddings, as it comes to the mock. */
async function requestsOf(mock: LLMock, client: OpenAiClient) {
  mock.clearRequests();
  await client.chat({ model, prompt: prompts.plain });
  await client.stream({ model, prompt: prompts.plain });
  await client.embed(model, ['one', 'two']);
  return mock.getRequests().map(({ method, path, headers, body }) => ({
    method,
    path,
    headers: Object.entries(headers)
      .filter(([name]) => !ofTheGateway.has(name))
      .toSorted(),
    body,
  }));
}

/** What a gateway sets itself. */
const ofTheGateway: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'authorization',
  'x-request-id',
  'endpoint-load-metrics-format',
]);

function typesOf(value: object): Record<string, string> {
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, typeof one]));
}
