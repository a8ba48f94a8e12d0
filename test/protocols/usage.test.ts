import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Journal } from '../../gateway/pipeline/journal.ts';
import { bytesBody, type Reply } from '../../gateway/pipeline/reply.ts';
import { withUsage } from '../../gateway/protocols/usage.ts';
import { FedBody, KeepingSink, pumped } from '../support/bodies.ts';

/** The tokens, of prompt and answer, that are noted of an answer that comes in pieces. */
function noted(pieces: readonly (string | Uint8Array)[], headers: string[] = [], status = 200): number[] {
  const journal = new Journal();
  const inner = new FedBody();
  const { body } = withUsage({ status, headers, source: 'upstream', body: inner }, journal);
  const sink = pumped(body);
  for (const piece of pieces) inner.feed(piece);
  inner.end('complete');
  assert.deepEqual(Buffer.concat(sink.pieces), Buffer.concat(pieces.map((one) => Buffer.from(one))));
  assert.equal(sink.ended, 'complete');
  return [journal.inputTokens, journal.outputTokens];
}

const event = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;
const done = 'data: [DONE]\n\n';
const chat = { prompt_tokens: 12, completion_tokens: 34, total_tokens: 46 };
const details = { cached_tokens: 9, prompt_tokens: 9, output_tokens: 9 };

describe('the tokens of an answer', () => {
  it('are read as completions, responses and embeddings tell them, laid out in whatever way', () => {
    const usages = [
      [chat, [12, 34]],
      [{ total_tokens: 46, completion_tokens: 34, prompt_tokens_details: details, prompt_tokens: 12 }, [12, 34]],
      [{ input_tokens: 12, input_tokens_details: details, output_tokens: 34 }, [12, 34]],
      [{ prompt_tokens: 12, total_tokens: 12 }, [12, 0]],
      [{ prompt_tokens: 0, completion_tokens: 34 }, [0, 34]],
    ] as const;
    for (const [usage, wanted] of usages) {
      for (const gap of ['', ' ', '\n  ']) {
        assert.deepEqual(noted([JSON.stringify({ id: 'x', usage, after: [1] }, null, gap)]), wanted);
        assert.deepEqual(noted([event({ response: { usage, status: 'completed' } }), done]), wanted);
      }
    }
  });

  it('are read wherever the answer is cut into pieces', () => {
    const text = event({ choices: [], usage: null }) + event({ choices: [], usage: chat }) + done;
    for (let at = 0; at <= text.length; at++)
      assert.deepEqual(noted([text.slice(0, at), text.slice(at)]), [12, 34], `at ${at}`);
    assert.deepEqual(noted([...text]), [12, 34]);
  });

  it('are the last that are told: before them stand chunks without, and some servers tell them with every chunk', () => {
    const some = event({ choices: [{}], usage: { prompt_tokens: 12, completion_tokens: 1 } });
    const none = event({ choices: [{}], usage: null });
    assert.deepEqual(noted([none, none, event({ usage: chat }), done]), [12, 34]);
    assert.deepEqual(noted([some, some, event({ usage: chat }), done]), [12, 34]);
    assert.deepEqual(noted([event({ usage: chat }), none, event({ usage: {} }), done]), [12, 34]);
  });

  it('are not taken from a text that talks of them', () => {
    const content = 'they write {"usage":{"prompt_tokens":1,"completion_tokens":2}}';
    assert.deepEqual(noted([event({ choices: [{ delta: { content } }] }), done]), [0, 0]);
    assert.deepEqual(noted([event({ usage: chat }), event({ choices: [{ delta: { content } }] }), done]), [12, 34]);
    const schema = { tools: [{ properties: { usage: { type: 'object' } } }] };
    assert.deepEqual(noted([JSON.stringify({ usage: chat, ...schema })]), [12, 34]);
  });

  it('are found at the end of an answer of any length, and not looked for far before it', () => {
    const long = 'é'.repeat(100_000);
    assert.deepEqual(noted([JSON.stringify({ data: long, usage: chat })]), [12, 34]);
    assert.deepEqual(
      noted([JSON.stringify({ data: long }).slice(0, -1), `,"usage":${JSON.stringify(chat)}}`]),
      [12, 34],
    );
    assert.deepEqual(noted([...pieces(JSON.stringify({ data: long, usage: chat }), 1000)]), [12, 34]);
    assert.deepEqual(noted([...pieces(JSON.stringify({ usage: chat, data: long }), 1000)]), [0, 0]);
  });

  it('are none where nothing is told, or what is told is no number', () => {
    for (const usage of [null, 7, 'x', [], {}, { prompt_tokens: '12' }, { prompt_tokens: 1.5 }, { prompt_tokens: -1 }])
      assert.deepEqual(noted([JSON.stringify({ usage })]), [0, 0], JSON.stringify(usage));
    for (const text of ['', '"usage":', '{"usage":{', '{"usage":{"prompt_tokens"', '{"usage":{"prompt_tokens":'])
      assert.deepEqual(noted([text]), [0, 0], text);
  });

  it('are noted of what came before an answer broke off', () => {
    const journal = new Journal();
    const inner = new FedBody();
    const sink = pumped(withUsage({ status: 200, headers: [], source: 'upstream', body: inner }, journal).body);
    inner.feed(event({ usage: chat }));
    inner.end('broken');
    assert.deepEqual([journal.inputTokens, journal.outputTokens, sink.ended], [12, 34, 'broken']);
  });
});

it('an answer that is encoded, or no success, passes untouched', () => {
  const body = bytesBody(Buffer.from(JSON.stringify({ usage: chat })));
  const replies: readonly Reply[] = [
    { status: 200, headers: ['content-encoding', 'gzip'], source: 'upstream', body },
    { status: 400, headers: [], source: 'upstream', body },
  ];
  for (const reply of replies) assert.equal(withUsage(reply, new Journal()), reply);
});

it('a client that asks for a pause gets it', () => {
  const inner = new FedBody(7);
  const { body } = withUsage({ status: 200, headers: [], source: 'upstream', body: inner }, new Journal());
  assert.equal(body.sizeBytes, 7);
  const sink = new KeepingSink();
  sink.isSlow = true;
  body.pump(sink);
  inner.feed('{');
  assert.ok(inner.isPaused);
  sink.drain();
  assert.ok(!inner.isPaused);
  body.discard();
  assert.equal(inner.discards, 1);
});

function* pieces(text: string, length: number): Generator<string> {
  for (let at = 0; at < text.length; at += length) yield text.slice(at, at + length);
}

it('an answer costs no more memory and time than its end, in whatever pieces it comes and however it is nested', () => {
  const pings = Array.from({ length: 300_000 }, () => ': ping\n\n');
  assert.deepEqual(noted([...pings, event({ usage: chat }), done]), [12, 34]);
  assert.deepEqual(noted([`${'{"usage":'.repeat(100_000)}0`]), [0, 0]);
});
