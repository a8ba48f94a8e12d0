import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GatewayError } from '../../gateway/kernel/errors.ts';
import { openai } from '../../gateway/protocols/openai.ts';
import { FedBody, KeepingSink, pumped } from '../support/bodies.ts';
import { completionAsked, events, json, kept, rendered, renderedLive, replyOf } from '../support/caching/rendered.ts';

const streaming = { stream: true };
const usage = { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 };

const chunk = (delta: object, reason: string | null = null, more: object = {}): object => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 7,
  model: 'gpt',
  choices: [{ index: 0, delta, finish_reason: reason }],
  ...more,
});

const stream = (...data: readonly (object | string)[]): string =>
  data.map((one) => `data: ${typeof one === 'string' ? one : JSON.stringify(one)}\n\n`).join('');

const hello = stream(chunk({ role: 'assistant', content: '' }), chunk({ content: 'hi' }), chunk({}, 'stop'), '[DONE]');

const idsOf = (text: string): string[] => [...text.matchAll(/"id":"([^"]*)"/g)].map(([, id = '']) => id);

function idFor(id: string): string {
  const [fresh = ''] = idsOf(rendered(kept(json, JSON.stringify({ id, choices: [] })), completionAsked('chat')).text);
  return fresh;
}

describe('the id of an answer that several get', () => {
  it('is another for each of them, and of the kind that the server gives', () => {
    const given = [
      'chatcmpl-8a9b',
      'cmpl-1f-2e-3d',
      '8c1d0e5a1f2b4c3d',
      'gen-17-x',
      '8c1d0e5a-1f2b-4c3d-9e8f-001122334455',
    ];
    const kinds = [/^chatcmpl-\w{32}$/, /^cmpl-[\w-]{36}$/, /^\w{32}$/, /^gen-[\w-]{36}$/, /^[\w-]{36}$/];
    for (const [at, id] of given.entries()) assert.match(idFor(id), kinds[at] ?? /^$/);
    assert.ok(!idFor('8c1d0e5a-1f2b-4c3d-9e8f-001122334455').startsWith('8c1d0e5a'));
    const all = Array.from({ length: 100 }, () => idFor('chatcmpl-1'));
    assert.equal(new Set(all).size, 100);
  });

  it('is one in all events of a stream, and in no other place', () => {
    const called = chunk({
      tool_calls: [{ index: 0, id: 'call_1', function: { name: 'f', arguments: '{"id":"x"}' } }],
    });
    const text = stream(chunk({ role: 'assistant' }), called, chunk({}, 'tool_calls'), '[DONE]');
    const got = rendered(kept(events, text), completionAsked('chat', streaming));
    const ids = new Set(idsOf(got.text));
    assert.ok(!ids.has('chatcmpl-1') && ids.has('call_1'));
    assert.equal(ids.size, 2);
    assert.equal(got.text.replaceAll(/chatcmpl-\w{32}/g, 'chatcmpl-1'), text);
    assert.equal(got.length, null);
  });

  it('stays none, or what it is, where there is none, or one that is no text', () => {
    for (const text of [
      '{"object":"list","data":[{"id":"x"}]}',
      '{"id":"","x":1}',
      '{"id":null}',
      '{"id":7,"x":"y"}',
      'no',
      '',
    ])
      for (const operation of ['embedding', 'chat', 'completion'])
        assert.equal(rendered(kept(json, text), completionAsked(operation)).text, text);
  });

  it('passes on as it comes: an event as soon as it is there', () => {
    const inner = new FedBody();
    const sink = pumped(openai.render(replyOf(events, inner), completionAsked('chat', streaming)).body);
    const [first = '', second = ''] = hello.split(/(?<=\n\n)/);
    inner.feed(first + second.slice(0, 20));
    assert.equal(sink.text.replace(/chatcmpl-\w{32}/, 'chatcmpl-1'), first);
  });

  it('is the only thing that changes, wherever an answer in JSON is cut, and the length it does not tell any more', () => {
    const text = '{\n "id": "chatcmpl-1", "choices": [{"message":{"content":"\\u00e9 \\"id\\":\\"y\\" é"}}]}';
    const bytes = Buffer.from(text);
    for (let at = 0; at <= bytes.length; at++) {
      const headers = [...json, 'content-length', String(bytes.length)];
      const pieces = [bytes.subarray(0, at), bytes.subarray(at)];
      const got = renderedLive(headers, pieces, completionAsked('chat'));
      assert.match(got.text, /^\{\n "id": "chatcmpl-\w{32}", "ch/);
      assert.equal(got.text.replace(/chatcmpl-\w{32}/, 'chatcmpl-1'), text);
      assert.equal(got.length, null);
    }
  });
});

describe('a stream that is asked for whole', () => {
  const gathered = (text: string, kind = 'chat'): unknown =>
    JSON.parse(rendered(kept(events, text), completionAsked(kind)).text);

  it('is one object with everything that its events said', () => {
    const call = (index: number, more: object): object => chunk({ tool_calls: [{ index, ...more }] });
    const got = gathered(
      stream(
        chunk({ role: 'assistant', content: null }, null, { id: '', model: '', obfuscation: 'x' }),
        call(0, { id: 'call_1', type: 'function', function: { name: 'f', arguments: '' } }),
        call(1, { id: 'call_2', type: 'function', function: { name: 'g', arguments: '{}' } }),
        call(0, { id: '', function: { name: '', arguments: '{"a"' } }),
        call(0, { id: null, function: { arguments: ':1}' } }),
        chunk({ reasoning_content: 'I ' }, null, { system_fingerprint: 'fp' }),
        chunk({ reasoning_content: 'think' }, null, { system_fingerprint: null, usage: null }),
        chunk({}, 'tool_calls'),
        { ...chunk({}), choices: [], usage },
        { id: '', object: '', created: 0, model: '', choices: [] },
      ),
    ) as { id: string };
    const calls = [
      { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } },
      { id: 'call_2', type: 'function', function: { name: 'g', arguments: '{}' } },
    ];
    const message = { role: 'assistant', content: null, tool_calls: calls, reasoning_content: 'I think' };
    assert.match(got.id, /^chatcmpl-\w{32}$/);
    assert.deepEqual(got, {
      id: got.id,
      object: 'chat.completion',
      created: 7,
      model: 'gpt',
      choices: [{ index: 0, message, finish_reason: 'tool_calls' }],
      usage,
      system_fingerprint: 'fp',
    });
  });

  it('is never made of one that ends early, tells of an error, or cannot be read', () => {
    const says = chunk({ role: 'assistant', content: 'hi' });
    const other = { ...chunk({}), choices: [{ index: 1, delta: { content: 'x' }, finish_reason: null }] };
    const end = chunk({}, 'stop');
    for (const text of [
      '',
      stream('[DONE]'),
      stream(says),
      stream(says, '[DONE]'),
      stream(says, chunk({}, '')),
      stream(says, other, end, '[DONE]'),
      stream(says, { error: { message: 'no' } }, end, '[DONE]'),
      `${stream(says)}event: error\ndata: no\n\n${stream(end)}`,
      `${stream(says)}event: error\n\n${stream(end)}`,
      stream(says, end, '{"id":'),
      stream(says, end, '7'),
      stream(says) + stream(end).slice(0, -10),
    ]) {
      const wish = completionAsked('chat');
      assert.throws(() => openai.render(kept(events, text), wish), { code: 'upstream_broken' }, text);
      const got = renderedLive(events, [Buffer.from(text)], wish);
      assert.deepEqual([got.text, got.ended], ['', 'broken'], text);
    }
  });

  it('is whole without the last line, and without what may stand behind it', () => {
    const whole = gathered(hello) as { id: string };
    for (const text of [hello.trimEnd(), hello.replace(/data: \[DONE\]\s*/, ''), `${hello}data: {"error":1}\n\n`])
      assert.deepEqual({ ...(gathered(text) as object), id: whole.id }, whole);
  });

  it('breaks as the stream breaks, with nothing in front of it', () => {
    for (const how of ['broken', 'abandoned'] as const) {
      const inner = new FedBody();
      const sink = pumped(openai.render(replyOf(events, inner), completionAsked('chat')).body);
      inner.feed(hello);
      inner.end(how, new GatewayError('upstream_broken', 'it broke'));
      assert.deepEqual([sink.text, sink.ended], ['', how]);
    }
  });

  it('is not gathered beyond 16 MiB', () => {
    const inner = new FedBody();
    const sink = pumped(openai.render(replyOf(events, inner), completionAsked('chat')).body);
    const piece = Buffer.from(`:${'x'.repeat(1024 * 1024 - 1)}`);
    for (let mebibytes = 0; mebibytes < 17; mebibytes++) inner.feed(piece);
    inner.feed(`\n${hello}`);
    inner.end('complete');
    assert.deepEqual([sink.text, sink.ended], ['', 'broken']);
  });

  it('changes nothing but what it is made of', () => {
    const odd = '{"__proto__":{"polluted":1},"constructor":{"a":"b"},"content":"x"}';
    const event = `data: {"choices":[{"index":0,"delta":${odd},"finish_reason":null}],"__proto__":{"polluted":1}}\n\n`;
    const got = JSON.stringify(gathered(event + event + hello));
    assert.ok(got.includes('"constructor":{"a":"bb"}') && !got.includes('polluted'), got);
    assert.ok(!('polluted' in {}));
    const end = 'data: {"choices":[{"index":0,"delta":{},"__proto__":{"finish_reason":"stop"}}]}\n\n';
    assert.throws(() => gathered(end), { code: 'upstream_broken' });
  });
});

describe('a whole answer that is asked for as a stream', () => {
  const message = { role: 'assistant', content: 'hi', tool_calls: [{ id: 'call_1', type: 'function', function: {} }] };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: 'stop' }];
  const whole = { id: 'chatcmpl-1', object: 'chat.completion', created: 7, model: 'gpt', choices, usage };

  const dataOf = (text: string): string[] => text.split('\n\n').map((event) => event.replace(/^data: /, ''));

  it('says role, text, calls and end, each in an event', () => {
    const { text } = rendered(kept(json, JSON.stringify(whole)), completionAsked('chat', streaming));
    const data = dataOf(text);
    assert.deepEqual(data.slice(-2), ['[DONE]', '']);
    const chunks = data.slice(0, -2).map((one) => JSON.parse(one));
    const [call] = message.tool_calls;
    assert.deepEqual(
      chunks.map((one) => one.choices),
      [
        [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }],
        [{ index: 0, delta: { content: 'hi' }, logprobs: null, finish_reason: null }],
        [{ index: 0, delta: { tool_calls: [{ index: 0, ...call }] }, finish_reason: null }],
        [{ index: 0, delta: {}, finish_reason: 'stop' }],
      ],
    );
    assert.deepEqual(
      new Set(chunks.map(({ choices: _, id, ...rest }) => JSON.stringify({ ...rest, id: id.slice(0, 9) }))),
      new Set([JSON.stringify({ object: 'chat.completion.chunk', created: 7, model: 'gpt', id: 'chatcmpl-' })]),
    );
    assert.equal(new Set(idsOf(text)).size, 2, 'its own and the call’s');
  });

  it('tells the usage only where that was asked for', () => {
    for (const [options, isTold] of [
      [{}, false],
      [{ stream_options: null }, false],
      [{ stream_options: { include_usage: false } }, false],
      [{ stream_options: { include_usage: true } }, true],
    ] as const) {
      const wish = completionAsked('chat', { ...streaming, ...options });
      const data = dataOf(rendered(kept(json, JSON.stringify(whole)), wish).text);
      const { choices: none, usage: told } = JSON.parse(data.at(-3) ?? '');
      if (isTold) assert.deepEqual([none, told], [[], usage]);
      else assert.ok(none.length === 1 && told === undefined);
    }
  });

  it('is none that is no completion', () => {
    for (const text of ['', 'no', '[]', '{}', '{"choices":7}', '{"choices":[1]}', '{"error":"no"}', '{"choices":[']) {
      const wish = completionAsked('chat', streaming);
      assert.throws(() => openai.render(kept(json, text), wish), { code: 'upstream_broken' }, text);
      const got = renderedLive(json, [Buffer.from(text)], wish);
      assert.deepEqual([got.text, got.ended], ['', 'broken'], text);
    }
  });
});

describe('rendering', () => {
  const whole = JSON.stringify({ id: 'chatcmpl-1', choices: [], usage });

  it('notes the tokens that the original took, in whatever form it is given', () => {
    const streamed = stream(chunk({ role: 'assistant' }), chunk({}, 'stop'), { choices: [], usage }, '[DONE]');
    for (const [headers, text] of [
      [json, whole],
      [events, streamed],
    ] as const)
      for (const wish of [{}, streaming]) {
        for (const isLive of [false, true]) {
          const exchange = completionAsked('chat', wish);
          if (isLive) renderedLive(headers, [Buffer.from(text)], exchange);
          else rendered(kept(headers, text), exchange);
          assert.deepEqual([exchange.journal.inputTokens, exchange.journal.outputTokens], [3, 5]);
        }
      }
  });

  it('passes what is encoded, and what is no completion, as it is', () => {
    const reply = kept([...json, 'content-encoding', 'gzip'], whole);
    for (const wish of [{}, streaming]) assert.equal(openai.render(reply, completionAsked('chat', wish)), reply);
    const other = kept(json, whole);
    assert.equal(openai.render(other, completionAsked('other', streaming)), other);
  });

  it('passes on a pause that the client asks for, and that it is given up', () => {
    for (const [headers, text, wish] of [
      [events, hello, streaming],
      [json, whole, {}],
    ] as const) {
      const inner = new FedBody();
      const { body } = openai.render(replyOf([...headers], inner), completionAsked('chat', wish));
      const sink = new KeepingSink();
      sink.isSlow = true;
      body.pump(sink);
      inner.feed(text);
      assert.ok(inner.isPaused);
      sink.drain();
      assert.ok(!inner.isPaused);
      inner.feed('\n');
      body.discard();
      assert.equal(inner.discards, 1);
    }
    for (const [headers, wish] of [
      [events, {}],
      [json, streaming],
    ] as const) {
      const inner = new FedBody();
      openai.render(replyOf([...headers], inner), completionAsked('chat', wish)).body.discard();
      assert.deepEqual([inner.discards, inner.pumps], [1, 0]);
    }
  });

  it('passes nothing of an answer that breaks off before its id has come', () => {
    const inner = new FedBody();
    const sink = pumped(openai.render(replyOf(json, inner), completionAsked('chat')).body);
    inner.feed('{"id":"chatcm');
    inner.end('broken');
    assert.deepEqual([sink.text, sink.ended], ['', 'broken']);
  });
});
