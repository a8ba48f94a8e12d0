import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openInference } from '../../gateway/protocols/open-inference.ts';
import { openai } from '../../gateway/protocols/openai.ts';

const json = ['content-type', 'application/json'];
const events = ['content-type', 'text/event-stream; charset=utf-8'];

function stream(...data: readonly unknown[]): Buffer {
  return Buffer.from(data.map((one) => `data: ${typeof one === 'string' ? one : JSON.stringify(one)}\n\n`).join(''));
}

const chunk = (content: string, reason: string | null = null) => ({
  choices: [{ index: 0, delta: { content }, finish_reason: reason }],
});

describe('an answer of the OpenAI API', () => {
  const chat = (reason: string | null, content = 'x') =>
    Buffer.from(JSON.stringify({ choices: [{ message: { content }, finish_reason: reason }] }, null, 1));

  it('may be given again when it came to its end', () => {
    assert.ok(openai.isRepeatable(json, chat('stop')));
    assert.ok(openai.isRepeatable(json, chat('length')));
    assert.ok(openai.isRepeatable(json, Buffer.from('{"data":[{"embedding":[1]}]}')));
    assert.ok(openai.isRepeatable(events, stream(chunk('a'), chunk('', 'stop'), { choices: [], usage: {} }, '[DONE]')));
    assert.ok(openai.isRepeatable(events, stream(chunk('a'), chunk('', 'stop'))), 'some servers send no [DONE]');
  });

  it('is for one client alone when it calls a tool', () => {
    for (const reason of ['tool_calls', 'function_call']) {
      assert.ok(!openai.isRepeatable(json, chat(reason)), reason);
      assert.ok(!openai.isRepeatable(events, stream(chunk('a'), chunk('', reason), '[DONE]')), reason);
    }
  });

  it('is not whole as a stream that gives no reason for its end, or tells of an error', () => {
    assert.ok(!openai.isRepeatable(events, stream(chunk('a'), chunk('b'))));
    assert.ok(!openai.isRepeatable(events, stream(chunk('a'), '[DONE]')));
    assert.ok(!openai.isRepeatable(events, stream(chunk('a', 'stop'), { error: { message: 'out of memory' } })));
    assert.ok(!openai.isRepeatable(events, Buffer.from(`${stream(chunk('a', 'stop'))}event: error\ndata: x\n\n`)));
  });

  it('is not given again where it did not end well, or tells of an error', () => {
    for (const reason of ['abort', 'error', 'tool_calls', 'insufficient_system_resource'])
      assert.ok(!openai.isRepeatable(json, chat(reason)), reason);
    for (const reason of ['stop', 'length', 'content_filter'])
      assert.ok(openai.isRepeatable(json, chat(reason)), reason);
    assert.ok(!openai.isRepeatable(json, Buffer.from('{"error":{"message":"no"}}')));
    assert.ok(openai.isRepeatable(json, Buffer.from('{"data":[],"error":null}')));
  });

  it('is not given again where one of its choices was cut off', () => {
    const choice = (index: number, reason: string | null) => ({
      choices: [{ index, delta: {}, finish_reason: reason }],
    });
    assert.ok(!openai.isRepeatable(events, stream(choice(0, null), choice(1, null), choice(0, 'stop'))));
    assert.ok(
      openai.isRepeatable(events, stream(choice(0, null), choice(1, null), choice(0, 'stop'), choice(1, 'length'))),
    );
  });

  it('is what it is, whatever a text in it looks like', () => {
    const text = '"finish_reason":"tool_calls"\ndata: {"error":1}\n';
    assert.ok(openai.isRepeatable(json, chat('stop', text)));
    assert.ok(openai.isRepeatable(events, stream(chunk(text), chunk('', 'stop'))));
    assert.ok(!openai.isRepeatable(events, stream(chunk('"finish_reason":"stop"'))));
  });

  it('cannot be read where it is encoded', () => {
    assert.ok(!openai.isRepeatable([...json, 'Content-Encoding', 'gzip'], chat('stop')));
  });
});

it('a stream of the Open Inference Protocol may be given again unless it tells of an error', () => {
  const text = { text_output: 'a' };
  assert.ok(openInference.isRepeatable(events, stream(text, text)));
  assert.ok(!openInference.isRepeatable(events, stream(text, { error: 'out of memory' })));
  assert.ok(openInference.isRepeatable(json, Buffer.from('{"outputs":[]}')));
});
