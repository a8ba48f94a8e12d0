import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../../gateway/kernel/errors.ts';
import { PassingBody } from '../../gateway/pipeline/passing-body.ts';
import type { BodyEnd } from '../../gateway/pipeline/reply.ts';
import { FedBody, KeepingSink } from '../support/bodies.ts';

test('everything passes: size, bytes, pauses and the end', () => {
  for (const end of ['complete', 'broken', 'abandoned'] as const) {
    const inner = new FedBody(6);
    const body = new PassingBody(inner);
    const sink = new KeepingSink();
    sink.isSlow = true;
    assert.equal(body.sizeBytes, 6);
    body.pump(sink);
    inner.feed('abc');
    assert.ok(inner.isPaused);
    sink.drain();
    assert.ok(!inner.isPaused);
    sink.isSlow = false;
    inner.feed('def');
    assert.ok(!inner.isPaused);
    assert.equal(sink.ended, null);
    inner.end(end);
    assert.deepEqual([sink.text, sink.ended, inner.pumps], ['abcdef', end, 1]);
  }
});

test('why a body broke off passes with its end', () => {
  const why = new GatewayError('upstream_timeout', 'too late');
  const ends: unknown[] = [];
  const inner = new PassingBody({ sizeBytes: null, pump: (sink) => sink.end('broken', why), discard() {} });
  inner.pump({ chunk: () => true, onDrain() {}, end: (...how) => ends.push(how) });
  assert.deepEqual(ends, [['broken', why]]);
});

test('a body that is given up gives up its source', () => {
  const inner = new FedBody();
  const body = new PassingBody(inner);
  body.discard();
  assert.deepEqual([inner.discards, inner.pumps, body.sizeBytes], [1, 0, null]);
});

test('who overrides what passes changes it', () => {
  class Shouting extends PassingBody {
    override chunk(bytes: Uint8Array): boolean {
      return this.passOn(Buffer.from(String(bytes).toUpperCase()));
    }
    override end(_how: BodyEnd): void {
      this.passOn(Buffer.from('!'));
      this.passEnd('complete');
    }
  }
  const inner = new FedBody();
  const sink = new KeepingSink();
  new Shouting(inner).pump(sink);
  inner.feed('abc');
  inner.end('broken');
  assert.deepEqual([sink.text, sink.ended], ['ABC!', 'complete']);
});
