import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BodyEnd } from '../../gateway/pipeline/reply.ts';
import { PeekedBody } from '../../gateway/protocols/peeked-body.ts';
import { FedBody, KeepingSink, pumped } from '../support/bodies.ts';

const peekBytes = 6;

/** A body of which the beginning has been read: fed with these pieces, and ended if the test says how. */
async function peek(pieces: readonly string[], end: BodyEnd | null, sizeBytes: number | null = null) {
  const inner = new FedBody(sizeBytes);
  const peeking = PeekedBody.peek(inner, peekBytes);
  for (const piece of pieces) inner.feed(piece);
  if (end !== null) inner.end(end);
  return { inner, body: await peeking };
}

describe('a peeked body', () => {
  it('shows its beginning, lets the rest wait with the sender, and passes on every byte', async () => {
    const { inner, body } = await peek(['abc', 'defg'], null);
    assert.equal(body.beginning().toString(), 'abcdefg');
    assert.equal(inner.isPaused, true);
    const sink = pumped(body);
    assert.equal(inner.isPaused, false);
    inner.feed('hij');
    inner.end('complete');
    assert.equal(sink.text, 'abcdefghij');
    assert.equal(sink.ended, 'complete');
  });

  it('shorter than what is wanted of it is shown whole', async () => {
    const { body } = await peek(['ab', 'c'], 'complete');
    assert.equal(body.beginning().toString(), 'abc');
    const sink = pumped(body);
    assert.equal(sink.text, 'abc');
    assert.equal(sink.ended, 'complete');
  });

  it('without a byte ends as it ended', async () => {
    const { body } = await peek([], 'complete', 0);
    assert.equal(body.beginning().length, 0);
    const sink = pumped(body);
    assert.deepEqual(sink.pieces, []);
    assert.equal(sink.ended, 'complete');
  });

  it('passes another beginning in the place of its own, and is that much longer', async () => {
    const { inner, body } = await peek(['abcdef'], null, 10);
    body.replaceBeginning(Buffer.from('123456789'));
    assert.equal(body.sizeBytes, 13);
    const sink = pumped(body);
    inner.feed('ghij');
    inner.end('complete');
    assert.equal(sink.text, '123456789ghij');
  });

  it('of unknown length stays so', async () => {
    const { body } = await peek(['abcdef'], null);
    body.replaceBeginning(Buffer.from('1'));
    assert.equal(body.sizeBytes, null);
  });

  it('passes what had come when it broke off, and that it broke off', async () => {
    const { body } = await peek(['abc'], 'broken');
    assert.equal(body.endedAs, 'broken');
    const sink = pumped(body);
    assert.equal(sink.text, 'abc');
    assert.equal(sink.ended, 'broken');
  });

  it('tells of an end only when it has come', async () => {
    const { body } = await peek(['abcdef'], null);
    assert.equal(body.endedAs, null);
  });

  it('starts no flow towards a sink that asks for a pause before it has drained', async () => {
    const { inner, body } = await peek(['abcdef'], null);
    const sink = new KeepingSink();
    sink.isSlow = true;
    body.pump(sink);
    assert.equal(inner.isPaused, true);
    sink.drain();
    assert.equal(inner.isPaused, false);
    inner.feed('ghi');
    assert.equal(inner.isPaused, true, 'a later pause is passed on');
    sink.drain();
    inner.end('complete');
    assert.equal(sink.text, 'abcdefghi');
  });

  it('discarded gives up its source, also when the source has ended', async () => {
    for (const end of [null, 'broken', 'complete'] as const) {
      const { inner, body } = await peek(['abcdef'].slice(end === null ? 0 : 1), end);
      body.discard();
      assert.equal(inner.discards, 1);
    }
  });
});
