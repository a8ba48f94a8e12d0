import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GatewayError } from '../../gateway/kernel/errors.ts';
import { lightWork } from '../../gateway/pipeline/ask.ts';
import type { Exchange } from '../../gateway/pipeline/exchange.ts';
import { jsonReply } from '../../gateway/pipeline/reply.ts';
import { modelInPath, modelStatus, tfServing } from '../../gateway/protocols/tf-serving.ts';
import { pumped } from '../support/bodies.ts';
import { type ExchangeSpec, readExchange } from '../support/exchanges.ts';

const predict = (path: string, body = '', spec: ExchangeSpec = {}): Exchange =>
  readExchange({ protocol: tfServing, operation: 'predict', path, body, ...spec });
const status = (path: string): Exchange => readExchange({ protocol: tfServing, endpoint: modelStatus, path });
const written = (exchange: Exchange, model = exchange.ask.model): string => tfServing.write(exchange, model).path;

/** The model in a path, and the path under which a replica gets it that calls the model `up/stream é`. */
const paths: Readonly<Record<string, readonly [model: string, upstream: string]>> = {
  '/v1/models/m:predict': ['m', ':predict'],
  '/v1/models/m:classify': ['m', ':classify'],
  '/v1/models/m:regress': ['m', ':regress'],
  '/v1/models/m:explain': ['m', ':explain'],
  '/v1/models/m/versions/3:predict': ['m', '/versions/3:predict'],
  '/v1/models/m/labels/a%20b:predict': ['m', '/labels/a%20b:predict'],
  '/v1/models/org/m:predict': ['org/m', ':predict'],
  '/v1/models/org%2Fm:predict': ['org/m', ':predict'],
  '/v1/models/m:8b:predict': ['m:8b', ':predict'],
  '/v1/models/m:predict:predict': ['m:predict', ':predict'],
  '/v1/models/%C3%BC%3Apredict:predict': ['ü:predict', ':predict'],
  '/v1/models/m/versions/:predict': ['m/versions/', ':predict'],
  '/v1/models/versions/1:predict': ['versions/1', ':predict'],
  '/v1/models/a/versions/b/versions/3:predict': ['a/versions/b', '/versions/3:predict'],
  '/v1/%6dodels/m:predict': ['m', ':predict'],
};

describe('a prediction', () => {
  for (const [path, [model, rest]] of Object.entries(paths)) {
    it(`at ${path} is of the model ${model}`, () => {
      const exchange = predict(path, '', { query: '?x=1' });
      assert.deepEqual([exchange.ask.model, exchange.ask.isStreaming, modelInPath(path)], [model, false, model]);
      assert.equal(written(exchange, 'up/stream é'), `/v1/models/up/stream%20%C3%A9${rest}?x=1`);
    });
  }

  it('counts the instances of the row form; whatever else is there counts as one', () => {
    const rowsOf = (body: string): number => predict('/v1/models/m:predict', body).work.rows;
    assert.equal(rowsOf('{"signature_name":"s","instances":[[1,2],[3,4],{"b64":"x,y"}]}'), 3);
    for (const body of ['', '{}', '{"inputs":{"x":[1,2]}}', '{"instances":[]}', '{"instances":7}', '[1,2]', 'x'])
      assert.equal(rowsOf(body), 1, body);
  });

  it('passes its body and its answer as they came', () => {
    const exchange = predict('/v1/models/m:predict', '{"instances":[1]}');
    const { body, method, without } = tfServing.write(exchange, 'other');
    assert.deepEqual([body, method, without], [exchange.ask.payload, 'POST', []]);
    const reply = jsonReply(200, { predictions: [1] }, 'upstream');
    assert.equal(tfServing.translate(reply, exchange, 'other'), reply);
  });

  it('is refused at a path that asks for none', () => {
    for (const rest of [
      '',
      'm',
      ':predict',
      'm:',
      'm:generate',
      'm:PREDICT',
      'm:predict/',
      'm/metadata',
      'm/versions/3',
    ])
      assert.throws(() => predict(`/v1/models/${rest}`), { code: 'invalid_request', field: 'path' }, rest);
  });

  it('is refused at a path that climbs', () => {
    for (const rest of ['../m:predict', '%2e%2e/m:predict', 'a%2F..%2Fm:predict', 'm/versions/..;x:predict'])
      assert.throws(() => predict(`/v1/models/${rest}`), { code: 'invalid_request', field: 'path' }, rest);
  });
});

describe('the state of a model', () => {
  it('is asked for by its path, with version, label or signatures', () => {
    for (const rest of ['', '/versions/3', '/labels/stable', '/metadata', '/versions/3/metadata']) {
      const exchange = status(`/v1/models/m${rest}`);
      assert.deepEqual([exchange.ask.model, exchange.work], ['m', lightWork]);
      const { method, path, body } = tfServing.write(exchange, 'n');
      assert.deepEqual([method, path, body], ['GET', `/v1/models/n${rest}`, null]);
    }
  });

  it('is nothing that computes', () => {
    assert.throws(() => status('/v1/models/m:predict'), { code: 'invalid_request', field: 'path' });
  });
});

it('an error is a bare string, and no stream is expected to tell one', () => {
  const error = new GatewayError('model_not_found', 'no "x"');
  assert.equal(pumped(tfServing.refuse(error).body).text, '{"error":"no \\"x\\""}');
  assert.equal(tfServing.breakStream(error, readExchange().head), null);
});
