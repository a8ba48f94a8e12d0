import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import OpenAI from 'openai';
import { streamWriters } from '../support/caching/completion-streams.ts';
import { type Completion, completions, kinds, type Members } from '../support/caching/completions.ts';
import { completionAsked, events, type Got, json, kept, rendered } from '../support/caching/rendered.ts';
import { repetitions } from '../support/counts.ts';

const numRuns = repetitions({ quick: 60, full: 3000 });
const streaming = { stream: true, stream_options: { include_usage: true } } as const;

/** The official client, whose requests are all answered so. */
function clientOf({ text, type }: Got): OpenAI {
  const fetch = async (): Promise<Response> => new Response(text, { headers: { 'content-type': type ?? '' } });
  return new OpenAI({ apiKey: 'none', baseURL: 'http://127.0.0.1', maxRetries: 0, fetch });
}

/** What the client's own gathering of a stream makes of it. */
async function gathered(got: Got): Promise<Completion> {
  const stream = clientOf(got).chat.completions.stream({ model: 'gpt', messages: [], ...streaming });
  return (await stream.finalChatCompletion()) as unknown as Completion;
}

/** What a client reads as text, whoever gathered it. */
function essence({ choices, usage, model }: Members): unknown {
  const read = (choices as Members[]).map(({ index, message, text, finish_reason }) => {
    const { role, content, refusal, tool_calls: calls } = (message ?? {}) as Members;
    return {
      index,
      role,
      content: content || null,
      refusal: refusal || null,
      calls: callsOf(calls),
      text,
      finish_reason,
    };
  });
  return { read, usage, model };
}

function callsOf(calls: unknown): unknown[] {
  return ((calls ?? []) as Members[]).map(({ id, type, function: called }) => {
    const { name, arguments: text } = called as Members;
    return { id, type, name, text };
  });
}

describe('the official client', () => {
  it('reads from a chat that was made a stream what the chat said, under one id', async () => {
    await fc.assert(
      fc.asyncProperty(completions('chat'), async (completion) => {
        const got = await gathered(
          rendered(kept(json, JSON.stringify(completion)), completionAsked('chat', streaming)),
        );
        assert.deepEqual(essence(got), essence(completion));
        assert.match(got.id, /^chatcmpl-\w{32}$/);
      }),
      { numRuns },
    );
  });

  it('reads from a stream that is given again what it reads from the stream itself', async () => {
    await fc.assert(
      fc.asyncProperty(completions('chat'), streamWriters, async (completion, write) => {
        const text = write(completion);
        const again = await gathered(rendered(kept(events, text), completionAsked('chat', streaming)));
        assert.deepEqual(essence(again), essence(completion));
        assert.notEqual(again.id, completion.id);
      }),
      { numRuns },
    );
  });

  for (const kind of kinds)
    it(`reads from a gathered stream of the kind ${kind} what its server meant`, async () => {
      await fc.assert(
        fc.asyncProperty(completions(kind), streamWriters, async (completion, write) => {
          const client = clientOf(rendered(kept(events, write(completion)), completionAsked(kind)));
          const got =
            kind === 'chat'
              ? await client.chat.completions.create({ model: 'gpt', messages: [] })
              : await client.completions.create({ model: 'gpt', prompt: 'x' });
          assert.deepEqual(essence({ ...got }), essence(completion));
        }),
        { numRuns },
      );
    });

  it('reads a completion that was made a stream piece by piece', async () => {
    await fc.assert(
      fc.asyncProperty(completions('completion'), async (completion) => {
        const got = rendered(kept(json, JSON.stringify(completion)), completionAsked('completion', streaming));
        const texts = completion.choices.map(() => '');
        for await (const { choices } of await clientOf(got).completions.create({
          model: 'gpt',
          prompt: 'x',
          ...streaming,
        }))
          for (const { index, text } of choices) texts[index] += text;
        assert.deepEqual(
          texts,
          completion.choices.map(({ text }) => text),
        );
      }),
      { numRuns },
    );
  });
});
