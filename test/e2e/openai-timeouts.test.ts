import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import OpenAI from 'openai';
import { answer, prompts } from '../support/mock-openai.ts';
import { models, openWays } from '../support/openai-clients/both-ways.ts';
import { official } from '../support/openai-clients/official.ts';
import { apiKey } from '../support/openai-clients/openai-client.ts';

// The client names the timeout of a request in `x-stainless-timeout`, in seconds, cut to a whole number; to it, it is the time until the head.

describe('a timeout that openai sets for one request', () => {
  const ways = openWays(official);
  const addresses = { 'without the gateway': () => ways().mock.url, 'through it': () => ways().gateway.client };

  for (const [way, urlOf] of Object.entries(addresses)) {
    const connect = () => new OpenAI({ baseURL: `${urlOf()}/v1`, apiKey, maxRetries: 0 }).chat.completions;
    const wish = (prompt: string) => ({ model: models[0], messages: [{ role: 'user' as const, content: prompt }] });

    it(`may be shorter than a second, ${way}`, async () => {
      const got = await connect().create(wish(prompts.plain), { timeout: 900 });
      assert.equal(got.choices[0]?.message.content, answer);
    });

    it(`holds to its end, and not only to its last whole second, ${way}`, async () => {
      const { mock } = ways();
      mock.setChaos({ latencyMs: 1200 });
      try {
        const got = await connect().create(wish(prompts.plain), { timeout: 1900 });
        assert.equal(got.choices[0]?.message.content, answer);
      } finally {
        mock.clearChaos();
      }
    });

    it(`does not cut a stream that has begun, ${way}`, async () => {
      let heard = '';
      const stream = await connect().create({ ...wish(prompts.slow), stream: true }, { timeout: 1000 });
      for await (const { choices } of stream) heard += choices[0]?.delta.content ?? '';
      assert.equal(heard, answer);
    });
  }
});
