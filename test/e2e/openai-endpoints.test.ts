import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import OpenAI, { toFile } from 'openai';
import { answer, prompts } from '../support/mock-openai.ts';
import { models, openWays } from '../support/openai-clients/both-ways.ts';
import { official } from '../support/openai-clients/official.ts';
import { apiKey, withoutChance } from '../support/openai-clients/openai-client.ts';

const transcript = 'Kiitos, 水.';
/** Every byte there is, line ends and what looks like a delimiter of a form among them. */
const everyByte = Buffer.concat([Buffer.from(Uint8Array.from({ length: 256 }, (_, at) => at)), Buffer.from('\r\n--')]);
const picture = { b64Json: everyByte.toString('base64') };

type Ask = (client: OpenAI, model: string) => Promise<unknown>;

/** What the gateway does not know of, but that it names a model. */
const others: Readonly<Record<string, Ask>> = {
  responses: (client, model) => client.responses.create({ model, input: prompts.plain }),
  'responses, streamed': async (client, model) =>
    Array.fromAsync(await client.responses.create({ model, input: prompts.plain, stream: true })),
  moderations: (client, model) => client.moderations.create({ model, input: prompts.plain }),
  'images/generations': (client, model) => client.images.generate({ model, prompt: 'a canal' }),
  'images/edits, a form': async (client, model) =>
    client.images.edit({ model, prompt: 'a canal', image: await toFile(everyByte, 'a.png', { type: 'image/png' }) }),
  'audio/speech, answered in bytes': async (client, model) => {
    const response = await client.audio.speech.create({ model, voice: 'alloy', input: 'a canal' });
    return Buffer.from(await response.arrayBuffer()).toString('base64');
  },
  'audio/transcriptions, a form': async (client, model) =>
    client.audio.transcriptions.create({ model, file: await toFile(everyByte, 'a.wav', { type: 'audio/wav' }) }),
};

describe('through the gateway, openai with what is neither chat nor embedding', () => {
  const ways = openWays(official);
  const connect = (url: string) => new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });

  before(() => {
    ways()
      .mock.onModerate(/./, { flagged: false, categories: { violence: false }, category_scores: { violence: 0.5 } })
      .onImage(/./, { image: picture })
      .on({ endpoint: 'image' }, { image: picture })
      .onSpeech(/./, { audio: everyByte.toString('base64') })
      .onTranscription({ transcription: { text: transcript } });
  });

  for (const [name, ask] of Object.entries(others)) {
    for (const model of models) {
      it(`gets what it gets without it, and sends the same: ${name}, from ${model}`, async () => {
        const { mock, gateway } = ways();
        const without = await ask(connect(mock.url), model);
        const got = await ask(connect(gateway.client), model);
        assert.deepEqual(withoutChance(got), withoutChance(without));
        const [direct, through] = mock.getRequests().slice(-2);
        assert.equal(through?.path, direct?.path);
        // The mock keeps no body of moderations.
        assert.deepEqual(through?.body, direct?.body && { ...direct.body, model: models[0] });
      });
    }
  }

  it('gets the whole text by /v1/responses', async () => {
    const got = await connect(ways().gateway.client).responses.create({ model: models[0], input: prompts.plain });
    assert.equal(got.output_text, answer);
  });
});
