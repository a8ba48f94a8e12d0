import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import OpenAI from 'openai';
import { startModelServer } from '../../loadtest/model-server/main.ts';
import { serverSchema } from '../../loadtest/model-server/settings.ts';
import { eventually, startGateway } from '../support/gateway-process.ts';

const profile = {
  kind: 'llm',
  models: ['words'],
  prefill: { base: '20ms', per_token: '0ms', spread: '0ms' },
  inter_token: { mean: '3ms', spread: '0ms' },
};
const server = await startModelServer(serverSchema.parse(profile), { host: '127.0.0.1', port: 0, seed: 1 });
after(() => server.close());
const gateway = await startGateway(
  { after },
  `telemetry: { log: warn }
backends: [{ name: words, protocol: openai, models: [words], replicas: [{ id: a, url: "http://127.0.0.1:${server.port}" }] }]
routes: [{ match: { model: words }, to: [{ backend: words }], cache: { fresh: 10m }, coalesce: true }]
`,
);
const isReady = async (): Promise<boolean> =>
  !/starting/.test(await (await fetch(`${gateway.admin}/api/backends`)).text());
await eventually('ready', isReady);

const client = new OpenAI({ baseURL: `${gateway.client}/v1`, apiKey: 'k', maxRetries: 0 });

/** A question that nobody has asked, unless it is said to be random. */
const asking = (about: string, more: object = {}) => ({
  model: 'words',
  temperature: 0,
  max_tokens: 20,
  messages: [{ role: 'user' as const, content: about }],
  ...more,
});

interface Got {
  readonly ids: readonly string[];
  readonly text: string;
  readonly tokens: unknown;
  readonly cache: string;
}

async function whole(about: string, more: object = {}): Promise<Got> {
  const { data, response } = await client.chat.completions.create(asking(about, more)).withResponse();
  const text = data.choices[0]?.message.content ?? '';
  return { ids: [data.id], text, tokens: data.usage?.total_tokens, cache: outcomeOf(response) };
}

async function streamed(about: string, more: object = {}): Promise<Got> {
  const wanted = { ...asking(about, more), stream: true } as const;
  const { data, response } = await client.chat.completions.create(wanted).withResponse();
  const chunks: OpenAI.ChatCompletionChunk[] = [];
  for await (const chunk of data) chunks.push(chunk);
  return {
    ids: [...new Set(chunks.map(({ id }) => id))],
    text: chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join(''),
    tokens: chunks.at(-1)?.usage?.total_tokens,
    cache: outcomeOf(response),
  };
}

function outcomeOf({ headers }: Response): string {
  return headers.get('cache-status')?.replace(/^headgate; |; ttl=\d+/g, '') ?? '';
}

describe('the official client', () => {
  for (const [name, first] of Object.entries({ whole, streamed })) {
    it(`has a chat that came ${name} from the cache in both forms, each time with an id of its own`, async () => {
      const about = `Which way does the water flow, ${name}?`;
      const own = await first(about);
      assert.equal(own.cache, 'fwd=miss; stored');
      assert.ok(own.text.length > 10);
      const ids = new Set(own.ids);
      for (const again of [whole, streamed, whole, streamed]) {
        const got = await again(about);
        assert.deepEqual([got.text, got.cache, got.ids.length], [own.text, 'hit', 1]);
        ids.add(got.ids[0] ?? '');
      }
      assert.equal(ids.size, 5);
    });

    it(`that asks while a chat comes ${name} has it in both forms, each with an id of its own`, async () => {
      const about = `Where does it go, ${name}?`;
      const long = { max_tokens: 250 };
      const before = await gateway.metric('headgate_flight_followers_total');
      const leading = first(about, long);
      await eventually('begun', async () => (await gateway.metric('headgate_flights')) === 1);
      const following = [whole, streamed, whole, streamed].map((one) => one(about, long));
      const own = await leading;
      const got = await Promise.all(following);
      assert.equal((await gateway.metric('headgate_flight_followers_total')) - before, 4);
      for (const one of got) assert.deepEqual([one.text, one.cache], [own.text, 'fwd=miss; collapsed']);
      assert.equal(new Set([own, ...got].flatMap(({ ids }) => ids)).size, 5);
    });
  }

  it('is told the tokens of the original, also of a stream', async () => {
    const counting = { stream_options: { include_usage: true } };
    const [own, again] = [await streamed('How much?', counting), await streamed('How much?', counting)];
    assert.ok(Number(own.tokens) > 20);
    assert.deepEqual([again.cache, again.tokens, again.text], ['hit', own.tokens, own.text]);
    const [first, second] = [await whole('How many?'), await whole('How many?')];
    assert.deepEqual([second.cache, second.tokens], ['hit', first.tokens]);
  });

  it('has nothing from the cache where chance has a part, and the same answer where a seed fixes it', async () => {
    const by = async (more: object): Promise<string> => {
      await whole('Why?', more);
      return (await whole('Why?', more)).cache;
    };
    assert.equal(await by({ temperature: 0.7 }), 'fwd=bypass');
    assert.equal(await by({ temperature: 0.7, seed: 4 }), 'hit');
    assert.equal(await by({ temperature: 0.7, seed: 5, user: 'u', metadata: { a: 'b' } }), 'hit');
    assert.equal((await whole('Why?', { temperature: 0.7, seed: 5, top_p: 0.5 })).cache, 'fwd=miss; stored');
  });
});
