import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BodyEnd } from '../../gateway/pipeline/reply.ts';
import { ObservedBody } from '../../gateway/upstream/observe-body.ts';
import { FedBody, KeepingSink } from '../support/bodies.ts';

/** An observed body, what feeds it, and what was told of it. */
function observe(sizeBytes: number | null = null): {
  inner: FedBody;
  body: ObservedBody;
  sink: KeepingSink;
  told: (string | number)[][];
} {
  const told: (string | number)[][] = [];
  const inner = new FedBody(sizeBytes);
  const body = new ObservedBody(inner, {
    firstByte: () => told.push(['first byte']),
    ended: (how: BodyEnd, bytes: number) => told.push([how, bytes]),
  });
  return { inner, body, sink: new KeepingSink(), told };
}

describe('an observed body', () => {
  it('passes every piece and the end, and tells of the first byte and the last', () => {
    const { inner, body, sink, told } = observe();
    body.pump(sink);
    assert.deepEqual(told, []);
    inner.feed('abc');
    assert.deepEqual(told, [['first byte']]);
    inner.feed('de');
    inner.end('complete');
    assert.deepEqual(told, [['first byte'], ['complete', 5]]);
    assert.equal(sink.text, 'abcde');
    assert.equal(sink.ended, 'complete');
  });

  it('counts no piece without bytes as the first byte, and tells of the first byte once', () => {
    const { inner, body, sink, told } = observe();
    body.pump(sink);
    inner.feed('');
    assert.deepEqual(told, []);
    inner.feed('a');
    inner.feed('');
    inner.end('complete');
    assert.deepEqual(told, [['first byte'], ['complete', 1]]);
  });

  it('without a byte has an end and no first byte', () => {
    const { inner, body, sink, told } = observe(0);
    body.pump(sink);
    inner.end('complete');
    assert.deepEqual(told, [['complete', 0]]);
    assert.equal(sink.ended, 'complete');
  });

  it('that breaks off says so with the bytes that passed', () => {
    const { inner, body, sink, told } = observe(10);
    body.pump(sink);
    inner.feed('abc');
    inner.end('broken');
    assert.deepEqual(told, [['first byte'], ['broken', 3]]);
    assert.equal(sink.ended, 'broken');
  });

  it('passes the wish for a pause on, and its end', () => {
    const { inner, body, sink } = observe();
    sink.isSlow = true;
    body.pump(sink);
    inner.feed('abc');
    assert.equal(inner.isPaused, true);
    sink.drain();
    assert.equal(inner.isPaused, false);
  });

  it('discarded before it was pumped is abandoned, and gives up what is under way', () => {
    const { inner, body, told } = observe();
    body.discard();
    assert.equal(inner.discards, 1);
    assert.deepEqual(told, [['abandoned', 0]]);
  });

  it('discarded and then ended by its source tells one end, and passes the end to its sink', () => {
    const { inner, body, sink, told } = observe();
    body.pump(sink);
    inner.feed('abc');
    body.discard();
    inner.end('abandoned');
    assert.deepEqual(told, [['first byte'], ['abandoned', 3]]);
    assert.equal(sink.ended, 'abandoned');
  });

  it('discarded after its end changes nothing', () => {
    const { inner, body, sink, told } = observe();
    body.pump(sink);
    inner.end('complete');
    body.discard();
    body.discard();
    assert.deepEqual(told, [['complete', 0]]);
    assert.equal(sink.ended, 'complete');
  });

  it('says how long it is as far as its source knows', () => {
    assert.equal(observe(7).body.sizeBytes, 7);
    assert.equal(observe(null).body.sizeBytes, null);
  });
});
