import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { LLMock } from '@copilotkit/aimock';
import OpenAI from 'openai';
import { type RunningGateway, type Scope, startGateway } from '../support/gateway-process.ts';
import {
  answer,
  embedding,
  forecast,
  prompts,
  startMockOpenAi,
  toolArguments,
  toolResult,
  usage,
} from '../support/mock-openai.ts';
import { aiSdkCompatible, aiSdkOpenAi } from '../support/openai-clients/ai-sdk.ts';
import { langchain } from '../support/openai-clients/langchain.ts';
import { official } from '../support/openai-clients/official.ts';
import {
  type Answer,
  apiKey,
  type Failure,
  type OpenAiClient,
  type OpenAiLibrary,
  withoutChance,
} from '../support/openai-clients/openai-client.ts';

/** As the replica calls it, and a name that only the gateway knows. */
const models = ['gpt-plain', 'gpt-alias'] as const;
const [model] = models;

/** A client with the mock at the other end, and one with the gateway between. */
interface Ways {
  readonly mock: LLMock;
  readonly gateway: RunningGateway;
  readonly direct: OpenAiClient;
  readonly through: OpenAiClient;
}

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
        let heard = '';
        await assert.rejects(
          client.stream({ model, prompt: prompts.broken }, (text) => {
            heard += text;
          }),
        );
        assert.ok(heard.length > 0 && heard.length < answer.length, `it had heard: ${heard}`);
        assert.ok(answer.startsWith(heard), heard);
      }
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
    assert.deepEqual(
      listed.data.map(({ id, object }) => ({ id, object })),
      models.map((id) => ({ id, object: 'model' })),
    );
    for (const one of listed.data) {
      assert.deepEqual([typeof one.created, typeof one.owned_by], ['number', 'string'], JSON.stringify(one));
      assert.deepEqual(await client.models.retrieve(one.id), one);
    }
  });

  it('has no model that nobody serves', async () => {
    const client = new OpenAI({ baseURL: `${ways().gateway.client}/v1`, apiKey, maxRetries: 0 });
    await assert.rejects(client.models.retrieve('gpt-unheard-of'), OpenAI.NotFoundError);
  });
});

/** Opens both ways before the tests of a suite, and closes them behind them. */
function openWays(library: OpenAiLibrary): () => Ways {
  const afterwards: (() => unknown)[] = [];
  const scope: Scope = { after: (call) => afterwards.push(call) };
  let opened: Ways;
  before(async () => {
    const mock = await startMockOpenAi(scope);
    const gateway = await startGateway(
      scope,
      `backends:
  - name: llm
    protocol: openai
    models: [gpt-plain, { name: gpt-alias, upstream: gpt-plain }]
    replicas: [{ id: a, url: "${mock.url}" }]
    health: { path: /health }
telemetry: { log: warn }
`,
    );
    const connect = (url: string) => library.connect(`${url}/v1`);
    opened = { mock, gateway, direct: connect(mock.url), through: connect(gateway.client) };
  });
  after(async () => {
    for (const call of afterwards.toReversed()) await call();
  });
  return () => opened;
}

/** Has both clients do a thing, and resolves with what came through the gateway when it is the same. */
async function same<Result extends Answer | readonly (readonly number[])[]>(
  { direct, through }: Ways,
  ask: (client: OpenAiClient) => Promise<Result>,
): Promise<Result> {
  const without = await ask(direct);
  const got = await ask(through);
  assert.deepEqual(withoutChance(got), withoutChance(without));
  return got;
}

async function failureOf(client: OpenAiClient, prompt: string, wanted: string = model): Promise<Failure> {
  const thrown = await client.chat({ model: wanted, prompt }).then(
    ({ text }) => assert.fail(`it answered: ${text}`),
    (error: unknown) => error,
  );
  return client.failure(thrown);
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
