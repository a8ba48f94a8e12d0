import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { EchoedId } from '../../gateway/protocols/echoed-id.ts';
import { grownBytes, spliced } from '../../gateway/protocols/splice.ts';
import { pens } from '../support/caching/json-writing.ts';
import { repetitions } from '../support/counts.ts';

const numRuns = repetitions({ quick: 2000, full: 30_000 });

function echoed(answer: string, request: string): string {
  const json = Buffer.from(answer);
  const change = new EchoedId(Buffer.from(request));
  const splice = change.find(json, true);
  if (splice === null) return answer;
  assert.ok(grownBytes(splice) <= change.mostGrownBytes);
  return spliced(json, splice).toString();
}

const value = fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.constant(null), fc.array(fc.string()));
const text = fc.string({ unit: 'grapheme' });
const others = fc.dictionary(fc.constantFrom('model_name', 'i', 'idd', 'ID_', 'outputs', 'a"b'), value, { maxKeys: 4 });

/** An object with an id among its members, or without one. */
const message = fc
  .tuple(fc.option(text, { nil: undefined }), others, others)
  .map(([id, before, behind]) => ({ ...before, ...(id === undefined ? {} : { id }), ...behind }));

describe('the id of an answer of the Open Inference Protocol', () => {
  it('is the one of the request, or none where it has none, however both are written', () => {
    fc.assert(
      fc.property(message, message, pens, pens, (answer, request, pen, otherPen) => {
        const got: unknown = JSON.parse(
          echoed(pen(JSON.parse(JSON.stringify(answer))), otherPen(JSON.parse(JSON.stringify(request)))),
        );
        const { id: _, ...rest } = JSON.parse(JSON.stringify(answer));
        assert.deepEqual(got, 'id' in request ? { ...rest, id: request.id } : rest);
      }),
      { numRuns },
    );
  });

  it('changes in its place, comes first where there was none, and goes with its comma', () => {
    const id = '{"id":"é"}';
    assert.equal(echoed('{ "a": 1,\n"id" : "x" , "b":2}', id), '{ "a": 1,\n"id" : "é" , "b":2}');
    assert.equal(echoed(' { "a": 1}', id), ' {"id":"é", "a": 1}');
    assert.equal(echoed('{ }', id), '{"id":"é" }');
    assert.equal(echoed('{ "a": 1, "id" : "x" , "b":2}', '{}'), '{ "a": 1,  "b":2}');
    assert.equal(echoed('{ "a": 1 , "id" : "x" }', '{}'), '{ "a": 1  }');
    assert.equal(echoed('{ "id" : "x" }', '{}'), '{  }');
    assert.equal(echoed(String.raw`{"\u0069d":"x","a":1}`, '{"x":1}'), '{"a":1}');
  });

  it('is none where a request has one that is no text', () => {
    for (const request of [
      '',
      'no',
      '[]',
      '{"id":7}',
      '{"id":null}',
      '{"id":{"a":1}}',
      String.raw`{"id":"\x"}`,
      '{"id":"a',
    ])
      assert.equal(echoed('{"a":1}', request), '{"a":1}', request);
  });

  it('is in no answer that is no object, or cut off', () => {
    for (const answer of ['', 'no', '[1]', '[DONE]', '"id"', '{"id":"x"', '{"id":"x', '{"id":'])
      for (const request of ['{"id":"y"}', '{}'])
        assert.equal(echoed(answer, request).replace('{"id":"y",', '{'), answer);
  });
});
