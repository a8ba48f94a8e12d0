import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { headerInList, headerOf } from '../../gateway/pipeline/headers.ts';
import { bytesBody, jsonReply } from '../../gateway/pipeline/reply.ts';
import { pumped } from '../support/bodies.ts';

describe('a body that is here already', () => {
  it('passes whole and ends', () => {
    const body = bytesBody(Buffer.from('abc'));
    const sink = pumped(body);
    assert.deepEqual([body.sizeBytes, sink.text, sink.ended], [3, 'abc', 'complete']);
  });

  it('without bytes ends without a piece', () => {
    const sink = pumped(bytesBody(new Uint8Array(0)));
    assert.deepEqual([sink.pieces, sink.ended], [[], 'complete']);
  });
});

it('a reply in JSON says how long it is, in bytes', () => {
  const { headers, body, status } = jsonReply(503, { error: 'é' }, 'refused');
  assert.equal(status, 503);
  assert.equal(pumped(body).text, '{"error":"é"}');
  assert.equal(headerInList(headers, 'content-length'), '14');
  assert.equal(headerInList(headers, 'content-type'), 'application/json');
});

describe('a header', () => {
  it('is its value, the first of several, or null', () => {
    assert.equal(headerOf({ a: '1' }, 'a'), '1');
    assert.equal(headerOf({ a: ['1', '2'] }, 'a'), '1');
    assert.equal(headerOf({ a: [], b: undefined }, 'a'), null);
    assert.equal(headerOf({ b: undefined }, 'b'), null);
    assert.equal(headerOf({}, 'a'), null);
  });

  it('is found in a list in any case, and never among the values', () => {
    const list = ['x', 'Etag', 'ETag', '"1"', 'etag', '"2"'];
    assert.equal(headerInList(list, 'etag'), '"1"');
    assert.equal(headerInList(list, '"1"'), null);
    assert.equal(headerInList([], 'etag'), null);
  });
});
