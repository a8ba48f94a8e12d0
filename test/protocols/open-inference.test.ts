import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GatewayError } from '../../gateway/kernel/errors.ts';
import { lightWork } from '../../gateway/pipeline/ask.ts';
import { bytesBody, type Reply } from '../../gateway/pipeline/reply.ts';
import { openInference } from '../../gateway/protocols/open-inference.ts';
import { pumped } from '../support/bodies.ts';
import { type ExchangeSpec, readExchange } from '../support/exchanges.ts';

function rowsOf(body: string, headers: Record<string, string> = {}): number {
  return readExchange({ body, headers }).work.rows;
}

function pathOf(spec: ExchangeSpec, upstreamModel = 'digits'): string {
  return openInference.write(readExchange(spec), upstreamModel).path;
}

describe('reading an inference', () => {
  it('takes the model from the path', () => {
    const { ask } = readExchange({ model: 'org/digits v2', body: '{"model":"other"}' });
    assert.equal(ask.model, 'org/digits v2');
    assert.equal(ask.isStreaming, false);
  });

  it('takes the first dimension of the first input for the rows', () => {
    assert.equal(rowsOf('{"id":"1","inputs":[{"name":"x","shape":[8,64],"data":[1]},{"shape":[3]}]}'), 8);
  });

  it('takes one row for what says nothing of rows', () => {
    for (const body of ['', '{}', '{"inputs":[]}', '{"inputs":[{}]}', '{"inputs":[{"shape":[]}]}', 'not JSON'])
      assert.equal(rowsOf(body), 1, body);
    for (const shape of ['[-1,64]', '[0]', '["8"]', '8', '[1.5]'])
      assert.equal(rowsOf(`{"inputs":[{"shape":${shape}}]}`), 1, shape);
  });

  it('reads the JSON in front of binary tensors and nothing behind it', () => {
    const json = '{"inputs":[{"shape":[4,2]}]}';
    const length = { 'inference-header-content-length': String(json.length) };
    assert.equal(rowsOf(`${json}\0\x01\x02\x03`, length), 4);
    for (const wrong of ['0', 'x', '-3', '1e9', '']) {
      const rows = rowsOf(json, { 'inference-header-content-length': wrong });
      assert.ok(rows === 1 || rows === 4, `${wrong}: ${rows}`);
    }
  });

  it('takes metadata for light work', () => {
    assert.deepEqual(readExchange({ operation: 'metadata' }).work, lightWork);
  });
});

describe('writing a request for a replica', () => {
  it('keeps operation, version and query, and has the replica’s name of the model', () => {
    assert.equal(pathOf({ query: '?a=b%20c' }), '/v2/models/digits/infer?a=b%20c');
    assert.equal(pathOf({ version: '3' }, 'digits-q8'), '/v2/models/digits-q8/versions/3/infer');
    const operations = ['metadata', 'ready', 'config', 'stats'] as const;
    assert.deepEqual(
      operations.map((operation) => pathOf({ operation })),
      ['/v2/models/digits', '/v2/models/digits/ready', '/v2/models/digits/config', '/v2/models/digits/stats'],
    );
  });

  it('encodes names so that none can lead elsewhere', () => {
    assert.equal(
      pathOf({ version: 'a/b?c' }, 'org/model #1'),
      '/v2/models/org%2Fmodel%20%231/versions/a%2Fb%3Fc/infer',
    );
  });

  it('refuses names that would lead up a path, however they were encoded', () => {
    for (const [field, params] of [
      ['model', { model: '..' }],
      ['model', { model: '.' }],
      ['version', { model: 'digits', version: '..' }],
    ] as const) {
      const { head } = readExchange();
      assert.throws(() => openInference.read({ ...head, params }, new Uint8Array(0)), {
        code: 'invalid_request',
        field,
      });
    }
  });

  it('knows no model whose name would be another path to servers that decode it', () => {
    for (const model of ['public/../secret', '../', 'secret/versions/1', 'secret\\infer'])
      assert.throws(() => openInference.read({ ...readExchange().head, params: { model } }, new Uint8Array(0)), {
        code: 'model_not_found',
        field: 'model',
      });
  });

  it('passes the body on as it came, and none where there is none', () => {
    const written = openInference.write(readExchange({ body: '{"inputs":[]}' }), 'digits');
    assert.deepEqual([written.method, String(written.body)], ['POST', '{"inputs":[]}']);
    const asked = openInference.write(readExchange({ operation: 'ready' }), 'digits');
    assert.deepEqual([asked.method, asked.body], ['GET', null]);
  });

  it('wants an answer without encoding where the name in it will be replaced', () => {
    assert.deepEqual(openInference.write(readExchange(), 'digits').without, []);
    assert.deepEqual(openInference.write(readExchange(), 'digits-q8').without, ['accept-encoding']);
  });
});

describe('translating an answer', () => {
  const reply = (text: string, status = 200): Reply => ({
    status,
    headers: ['content-length', String(text.length)],
    source: 'upstream',
    body: bytesBody(Buffer.from(text)),
  });

  it('leaves it as it is where the model has one name, or where it is no success', async () => {
    const same = reply('{"model_name":"digits"}');
    assert.equal(await openInference.translate(same, readExchange(), 'digits'), same);
    const error = reply('{"error":"digits-q8 is full"}', 400);
    assert.equal(await openInference.translate(error, readExchange(), 'digits-q8'), error);
  });

  it('puts the client’s name where each operation has it', async () => {
    const cases = [
      ['infer', '{"model_name":"digits-q8","outputs":[]}', '{"model_name":"digits","outputs":[]}'],
      ['metadata', '{"name":"digits-q8","model_name":"kept"}', '{"name":"digits","model_name":"kept"}'],
      ['ready', '{"name":"digits-q8","ready":true}', '{"name":"digits","ready":true}'],
    ] as const;
    for (const [operation, from, to] of cases) {
      const translated = await openInference.translate(reply(from), readExchange({ operation }), 'digits-q8');
      assert.equal(pumped(translated.body).text, to);
      assert.deepEqual(translated.headers, ['content-length', String(to.length)]);
    }
  });
});

it('a refusal is a bare string, as the specification has it', () => {
  const { status, headers, body, source } = openInference.refuse(new GatewayError('model_not_found', 'no "x" here'));
  const text = pumped(body).text;
  assert.deepEqual([status, source, text], [404, 'refused', '{"error":"no \\"x\\" here"}']);
  assert.deepEqual(headers, ['content-type', 'application/json', 'content-length', String(text.length)]);
});

describe('generating', () => {
  const body = '{"text_input":"x","model_name":"kept"}';

  it('is passed on as it came, streamed where the operation says so', () => {
    for (const [operation, isStreaming] of [
      ['generate', false],
      ['generate_stream', true],
    ] as const) {
      const exchange = readExchange({ operation, body });
      assert.deepEqual([exchange.ask.isStreaming, exchange.work], [isStreaming, lightWork]);
      const written = openInference.write(exchange, 'llama');
      assert.deepEqual([written.path, String(written.body)], [`/v2/models/llama/${operation}`, body]);
      assert.equal(pathOf({ operation, version: '3' }), `/v2/models/digits/versions/3/${operation}`);
    }
  });

  it('is answered under the client’s name of the model, in one answer or in every event', async () => {
    const said = (type: string, text: string): Reply => ({
      status: 200,
      headers: ['content-type', type],
      source: 'upstream',
      body: bytesBody(Buffer.from(text)),
    });
    const answer = (model: string): string => `{"text_output":"y","model_name":"${model}","name":"kept"}`;
    const whole = said('application/json', answer('llama'));
    const translated = await openInference.translate(whole, readExchange({ operation: 'generate' }), 'llama');
    assert.equal(pumped(translated.body).text, answer('digits'));
    const events = (model: string): string => `data: ${answer(model)}\n\n`.repeat(3);
    const stream = said('text/event-stream', events('llama'));
    const exchange = readExchange({ operation: 'generate_stream' });
    assert.equal(pumped((await openInference.translate(stream, exchange, 'llama')).body).text, events('digits'));
  });

  it('that breaks off ends in an event with a bare string, as Triton has it', () => {
    const event = String(
      openInference.breakStream(new GatewayError('upstream_broken', 'it "broke"\noff'), readExchange().head),
    );
    assert.equal(event, 'data: {"error":"it \\"broke\\"\\noff"}\n\n');
  });
});
