import assert from 'node:assert/strict';
import { it } from 'node:test';
import { GatewayError } from '../../gateway/kernel/errors.ts';
import { lightWork } from '../../gateway/pipeline/ask.ts';
import { jsonReply } from '../../gateway/pipeline/reply.ts';
import { plainHttp, plainRequest, plainUpload } from '../../gateway/protocols/plain-http.ts';
import { pumped } from '../support/bodies.ts';
import { readExchange } from '../support/exchanges.ts';

it('a request goes upstream as it came, and its answer back', () => {
  const path = '/any//where%2F%zz;x';
  for (const [endpoint, body] of [
    [plainRequest, null],
    [plainUpload, '{"model":"a","model":"b"}'],
  ] as const) {
    const spec = { protocol: plainHttp, endpoint, path, query: '?a=%2F&a' };
    const exchange = readExchange(body === null ? spec : { ...spec, body });
    const { ask } = exchange;
    assert.deepEqual([ask.model, ask.isStreaming, ask.work], ['', false, lightWork]);
    const written = plainHttp.write(exchange, '');
    assert.deepEqual([written.path, written.without], [`${path}?a=%2F&a`, []]);
    assert.equal(written.body, body === null ? null : ask.payload);
    const reply = jsonReply(500, {}, 'upstream');
    assert.equal(plainHttp.translate(reply, exchange, ''), reply);
  }
});

it('the method is the client’s, whatever it is', () => {
  const exchange = readExchange({ protocol: plainHttp, endpoint: { ...plainRequest, method: 'POST' }, path: '/x' });
  Object.assign(exchange.head, { method: 'PROPFIND' });
  assert.equal(plainHttp.write(exchange, '').method, 'PROPFIND');
});

it('a path that climbs is refused: the route was chosen by where it seemed to lead', () => {
  const spec = { protocol: plainHttp, endpoint: plainRequest, path: '/public/..%2fsecret' };
  assert.throws(() => readExchange(spec), { code: 'invalid_request', field: 'path' });
});

it('an error is a bare string, and no stream is expected to tell one', () => {
  const error = new GatewayError('not_found', 'no');
  assert.equal(pumped(plainHttp.refuse(error).body).text, '{"error":"no"}');
  assert.equal(plainHttp.breakStream(error, readExchange().head), null);
});
