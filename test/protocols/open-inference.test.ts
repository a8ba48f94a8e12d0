import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestHead } from '../../gateway/pipeline/exchange.ts';
import { headerLengthHeader, modelEndpoints, openInference } from '../../gateway/protocols/open-inference.ts';
import { frame } from '../support/infer-message.ts';

const infer = modelEndpoints.find(({ operation }) => operation === 'infer') ?? assert.fail();
const ready = modelEndpoints.find(({ operation }) => operation === 'ready') ?? assert.fail();

function headOf(endpoint = infer, headers: Record<string, string> = {}): RequestHead {
  return { method: endpoint.method, path: '/', query: '', params: { model: 'm' }, endpoint, headers };
}

function rowsOf(content: Uint8Array | string, headers: Record<string, string> = {}): number {
  return openInference.read(headOf(infer, headers), Buffer.from(content)).work.rows;
}

const x = (shape: unknown) => ({ id: 'inputs', inputs: [{ name: 'x', datatype: 'FP32', shape, data: [1, 2] }] });

test('each endpoint is there with a version and without', () => {
  const patterns = modelEndpoints.map(({ method, pattern }) => `${method} ${pattern}`);
  for (const suffix of ['', '/ready', '/config', '/stats'])
    for (const version of ['', '/versions/:version'])
      assert.ok(patterns.includes(`GET /v2/models/:model${version}${suffix}`));
  for (const version of ['', '/versions/:version'])
    assert.ok(patterns.includes(`POST /v2/models/:model${version}/infer`));
});

test('the rows of a request are those of its first input', () => {
  assert.equal(rowsOf(JSON.stringify(x([7, 2]))), 7);
  assert.equal(rowsOf(JSON.stringify({ ...x([3]), outputs: [{ shape: [9] }] })), 3);
  const { body, headers } = frame(x([5, 2]), [Buffer.from('{"inputs":[{"shape":[99]}]}')]);
  assert.equal(rowsOf(body, { [headerLengthHeader]: headers[headerLengthHeader] ?? '' }), 5);
});

test('a request whose rows cannot be read counts as one, for whoever computes it says what is wrong', () => {
  const unreadable = [
    '',
    '{',
    '[]',
    '{"inputs":{}}',
    '{"inputs":[]}',
    '{"inputs":[7]}',
    ...[[], [-1], ['a'], [1.5], {}].map((shape) => JSON.stringify(x(shape))),
  ];
  for (const content of unreadable) assert.equal(rowsOf(content), 1, content);
  for (const length of ['0', 'x', ''])
    assert.equal(rowsOf(JSON.stringify(x([7])), { [headerLengthHeader]: length }), 1, length);
  assert.equal(rowsOf(JSON.stringify(x([0, 2]))), 1);
});

test('what has no body is light work', () => {
  const { model, work, isStreaming } = openInference.read(headOf(ready), new Uint8Array(0));
  assert.deepEqual(
    [model, work.rows, isStreaming],
    ['m', openInference.read(headOf(ready), Buffer.from('{}')).work.rows, false],
  );
});
