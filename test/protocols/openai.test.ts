import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GatewayError } from '../../gateway/kernel/errors.ts';
import type { Exchange } from '../../gateway/pipeline/exchange.ts';
import { headerInList } from '../../gateway/pipeline/headers.ts';
import { bytesBody, type Reply } from '../../gateway/pipeline/reply.ts';
import { openai } from '../../gateway/protocols/openai.ts';
import { pumped } from '../support/bodies.ts';
import { type ExchangeSpec, readExchange } from '../support/exchanges.ts';

const asked = (body: string, spec: ExchangeSpec = {}): Exchange =>
  readExchange({ protocol: openai, operation: 'chat', body, ...spec });

const rowsOf = (input: string): number => asked(`{"model":"e","input":${input}}`, { operation: 'embedding' }).work.rows;

describe('reading a request', () => {
  it('takes model and streaming from the body, and one row', () => {
    const { ask } = asked('{"model":"gpt","stream":true,"messages":[{},{}]}');
    assert.deepEqual([ask.model, ask.isStreaming, ask.work.rows], ['gpt', true, 1]);
  });

  it('takes the size of the prompt, at four bytes a token, and how much may be generated, from whatever members say so', () => {
    const tokens = (more: string): unknown => {
      const { inputTokens, outputTokensExpected } = asked(`{"model":"m"${more}}`).work;
      return [inputTokens, outputTokensExpected];
    };
    assert.deepEqual(tokens(''), [null, null]);
    assert.deepEqual(tokens(`,"messages":[${'1'.repeat(98)}],"max_tokens":7`), [25, 7]);
    assert.deepEqual(tokens(',"max_tokens":7,"prompt":"ab","max_completion_tokens": 9 '), [1, 9]);
    assert.deepEqual(tokens(',"input":"abcdefg","max_output_tokens":"x"'), [3, null]);
  });

  it('takes a row for each input to embed, and one for an input in tokens', () => {
    assert.deepEqual(['"one"', '[]', '["one"]', '["a,b","c","]"]', '[[1,2],[3]]'].map(rowsOf), [1, 1, 1, 3, 2]);
    assert.deepEqual(['[1,2,3]', '[-1,2]', '[ 7 ]', 'null', '{"a":[1,2]}'].map(rowsOf), [1, 1, 1, 1, 1]);
    assert.equal(asked('{"model":"m","input":["a","b"]}').work.rows, 1, 'other operations read no input');
  });

  it('refuses a path that climbs: it goes upstream as it came', () => {
    const spec = { operation: 'other', path: '/v1/x/%2e%2e/y' };
    assert.throws(() => asked('{"model":"m"}', spec), { code: 'invalid_request', field: 'path' });
  });
});

describe('writing a request for a replica', () => {
  it('sends what came, byte for byte, where the model has one name', () => {
    const body = '{ "model" : "gpt", "x": 1e400 }';
    const exchange = asked(body, { operation: 'other', path: '/v1/audio/a%20b', query: '?x=%2F&y' });
    const { method, path, body: sent, without } = openai.write(exchange, 'gpt');
    assert.deepEqual([method, path, String(sent), without], ['POST', '/v1/audio/a%20b?x=%2F&y', body, []]);
    assert.equal(sent, exchange.ask.payload);
  });

  it('changes the name and no other byte where replicas have another, and wants an answer it can read', () => {
    const exchange = asked('{ "model" : "gpt", "x": 1e400, "deep":{"model":"gpt"} }');
    const { body, without } = openai.write(exchange, 'Qwen/Qwen3 "32B"');
    assert.equal(String(body), String.raw`{ "model" : "Qwen/Qwen3 \"32B\"", "x": 1e400, "deep":{"model":"gpt"} }`);
    assert.deepEqual(without, ['accept-encoding', 'content-encoding']);
  });
});

function replyOf(text: string, type: string, status = 200): Reply {
  const body = bytesBody(Buffer.from(text));
  return {
    status,
    headers: ['content-type', type, 'content-length', String(body.sizeBytes)],
    source: 'upstream',
    body,
  };
}

/** An answer as the client gets it, its length as the head says it. */
async function translated(reply: Reply, upstreamModel: string, exchange = asked('{"model":"gpt"}')) {
  const { body, headers } = await openai.translate(reply, exchange, upstreamModel);
  return { text: pumped(body).text, length: headerInList(headers, 'content-length'), journal: exchange.journal };
}

describe('translating an answer', () => {
  const completion = '{"id":"1","model":"qwen-32b","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":5}}';

  it('passes it as it is where the model has one name, and notes the tokens', async () => {
    const { text, length, journal } = await translated(replyOf(completion, 'application/json'), 'gpt');
    assert.deepEqual([text, length], [completion, String(completion.length)]);
    assert.deepEqual([journal.inputTokens, journal.outputTokens], [3, 5]);
  });

  it('puts the client’s name in the place of the replica’s, corrects the length, and notes the tokens', async () => {
    const { text, length, journal } = await translated(replyOf(completion, 'application/json'), 'qwen-32b');
    assert.equal(text, completion.replace('qwen-32b', 'gpt'));
    assert.equal(length, String(text.length));
    assert.deepEqual([journal.inputTokens, journal.outputTokens], [3, 5]);
  });

  it('puts it into every event of a stream, that of a completion and that of a response', async () => {
    const events = (model: string): string =>
      `data: {"model":"${model}","choices":[]}\n\nevent: x\ndata: {"response":{"id":"1","model":"${model}"}}\n\n` +
      `data: {"usage":{"input_tokens":3,"output_tokens":5},"model":"${model}"}\n\ndata: [DONE]\n\n`;
    const { text, length, journal } = await translated(replyOf(events('qwen'), 'text/event-stream'), 'qwen');
    assert.deepEqual([text, length], [events('gpt'), null]);
    assert.deepEqual([journal.inputTokens, journal.outputTokens], [3, 5]);
  });

  it('leaves alone what is no success, or neither JSON nor a stream', async () => {
    for (const [type, status] of [
      ['application/json', 400],
      ['audio/mpeg', 200],
      ['text/plain', 200],
    ] as const)
      assert.equal((await translated(replyOf(completion, type, status), 'qwen-32b')).text, completion, type);
  });
});

const headAt = (path: string) => ({ ...readExchange().head, path });

describe('an error', () => {
  const errors = [
    [new GatewayError('model_not_found', 'no "x"', { field: 'model' }), 404, 'invalid_request_error', 'model'],
    [new GatewayError('invalid_request', 'no'), 400, 'invalid_request_error', null],
    [new GatewayError('upstream_broken', 'no'), 502, 'server_error', null],
    [new GatewayError('none_eligible', 'no'), 503, 'server_error', null],
    [new GatewayError('internal', 'no'), 500, 'server_error', null],
  ] as const;

  for (const [error, status, type, param] of errors) {
    it(`of code ${error.code} has all four fields, in an answer and as the last event of a stream`, () => {
      const wanted = { error: { message: error.message, type, param, code: error.code } };
      const reply = openai.refuse(error);
      assert.deepEqual([reply.status, reply.source], [status, 'refused']);
      assert.deepEqual(JSON.parse(pumped(reply.body).text), wanted);
      const event = String(openai.breakStream(error, headAt('/v1/chat/completions')));
      assert.match(event, /^data: [^\r\n]+\n\n$/);
      assert.deepEqual(JSON.parse(event.slice(6)), wanted);
    });
  }

  it('ends a stream of responses as an event of its own type, for clients that look at the event and for those that look at its error', () => {
    const event = String(openai.breakStream(new GatewayError('upstream_broken', 'no'), headAt('/v1/responses')));
    const facts = { message: 'no', param: null, code: 'upstream_broken' };
    assert.deepEqual(JSON.parse(event.slice(6)), {
      type: 'error',
      sequence_number: 0,
      ...facts,
      error: { ...facts, type: 'server_error' },
    });
  });
});
