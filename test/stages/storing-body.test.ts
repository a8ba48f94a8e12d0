import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BufferRoom } from '../../gateway/pipeline/buffer-room.ts';
import type { BodyEnd } from '../../gateway/pipeline/reply.ts';
import { StoringBody } from '../../gateway/stages/storing-body.ts';
import { FedBody, KeepingSink } from '../support/bodies.ts';
import { repetitions } from '../support/counts.ts';

/** A body that is kept as it passes into a sink; what is told of it, and whether the reader had seen its end by then. */
function storing({ maxBytes = 10, roomBytes = 100, sizeBytes = null as number | null } = {}) {
  const inner = new FedBody(sizeBytes);
  const sink = new KeepingSink();
  const room = new BufferRoom(roomBytes);
  const told: [what: string, readerSaw: BodyEnd | null][] = [];
  const ended = (whole: Uint8Array | string): void => {
    told.push([typeof whole === 'string' ? whole : `whole ${Buffer.from(whole)}`, sink.ended]);
  };
  const body = new StoringBody(inner, { room, maxBytes, ended });
  return { inner, sink, room, told, body };
}

describe('a body that is kept as it passes', () => {
  it('is all there before its reader sees the end, and holds nothing then', () => {
    const { inner, sink, room, told, body } = storing({ sizeBytes: 4 });
    assert.equal(body.sizeBytes, 4);
    body.pump(sink);
    inner.feed('ab');
    inner.feed('cd');
    assert.deepEqual([sink.text, room.heldBytes, told], ['abcd', 4, []]);
    inner.end('complete');
    assert.deepEqual(told, [['whole abcd', null]]);
    assert.deepEqual([sink.ended, room.heldBytes], ['complete', 0]);
  });

  it('is kept where it is empty, too', () => {
    const { inner, sink, told, body } = storing();
    body.pump(sink);
    inner.end('complete');
    assert.deepEqual(told, [['whole ', null]]);
  });

  it('passes on, and is not kept, where it does not come to its end', () => {
    for (const how of ['broken', 'abandoned'] as const) {
      const { inner, sink, room, told, body } = storing();
      body.pump(sink);
      inner.feed('ab');
      inner.end(how);
      assert.deepEqual([told, sink.text, sink.ended, room.heldBytes], [[['failed', null]], 'ab', how, 0]);
    }
  });

  it('passes on, and is held no longer, from where it is larger than may be', () => {
    const { inner, sink, room, told, body } = storing({ maxBytes: 3 });
    body.pump(sink);
    inner.feed('abc');
    assert.equal(room.heldBytes, 3);
    inner.feed('d');
    assert.equal(room.heldBytes, 0);
    inner.feed('e');
    inner.end('complete');
    assert.deepEqual([told, sink.text, room.heldBytes], [[['unshareable', null]], 'abcde', 0]);
  });

  it('passes on, and is not kept, where there is no room for it', () => {
    const { inner, sink, room, told, body } = storing({ roomBytes: 3 });
    body.pump(sink);
    inner.feed('ab');
    inner.feed('cd');
    inner.end('complete');
    assert.deepEqual([told, sink.text, room.heldBytes], [[['failed', null]], 'abcd', 0]);
  });

  it('is given up where nobody reads it', () => {
    const { inner, told, body } = storing();
    body.discard();
    assert.deepEqual([told, inner.discards, inner.pumps], [[['failed', null]], 1, 0]);
  });

  it('pauses as its reader does', () => {
    const { inner, sink, body } = storing();
    sink.isSlow = true;
    body.pump(sink);
    inner.feed('a');
    assert.equal(inner.isPaused, true);
    sink.drain();
    assert.equal(inner.isPaused, false);
  });

  it('is whole or not at all, passes as it came and holds nothing in the end, whatever its pieces and bounds', () => {
    const sizes = fc.record({
      pieces: fc.array(fc.nat(6), { maxLength: 6 }),
      maxBytes: fc.nat(20),
      roomBytes: fc.nat(20),
      how: fc.constantFrom<BodyEnd>('complete', 'broken', 'abandoned'),
    });
    fc.assert(
      fc.property(sizes, ({ pieces, maxBytes, roomBytes, how }) => {
        const { inner, sink, room, told, body } = storing({ maxBytes, roomBytes });
        body.pump(sink);
        let sent = '';
        for (const [at, size] of pieces.entries()) {
          const piece = String(at).repeat(size);
          sent += piece;
          inner.feed(piece);
          assert.ok(room.heldBytes <= Math.min(maxBytes, roomBytes));
        }
        inner.end(how);
        assert.deepEqual([sink.text, sink.ended, room.heldBytes, told.length], [sent, how, 0, 1]);
        const isKept = how === 'complete' && sent.length <= Math.min(maxBytes, roomBytes);
        assert.equal(told[0]?.[0] === `whole ${sent}`, isKept);
      }),
      { numRuns: repetitions({ quick: 300, full: 20_000 }) },
    );
  });
});
