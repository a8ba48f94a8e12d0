import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { costOfPiece } from '../../gateway/cache/kept-pieces.ts';
import { SharedBody } from '../../gateway/cache/shared-body.ts';
import { GatewayError } from '../../gateway/kernel/errors.ts';
import { BufferRoom } from '../../gateway/pipeline/buffer-room.ts';
import type { BodyEnd } from '../../gateway/pipeline/reply.ts';
import { FedBody, KeepingSink, pumped } from '../support/bodies.ts';

interface Spec {
  readonly maxBytes?: number;
  readonly roomBytes?: number;
  readonly isWanted?: boolean;
}

/** A body that is fed by hand, and shared. */
function shared({ maxBytes = 10_000, roomBytes = 100_000, isWanted = false }: Spec = {}) {
  const room = new BufferRoom(roomBytes);
  const told: string[] = [];
  const body = new SharedBody({
    room,
    maxBytes,
    sizeBytes: null,
    isJoinable: true,
    isWanted,
    observer: {
      outgrown: (isTooLarge) => told.push(isTooLarge ? 'outgrown' : 'no room'),
      bodyEnded: () => told.push('end'),
    },
  });
  const source = new FedBody();
  source.pump(body);
  const ends: string[] = [];
  const read = (sink = new KeepingSink()): KeepingSink => {
    const reader = body.newReader({ hasRead: ({ how, why }) => ends.push(`${how} ${why?.code}`) });
    reader.pump(sink);
    return sink;
  };
  const slow = (): KeepingSink => {
    const sink = new KeepingSink();
    sink.isSlow = true;
    return sink;
  };
  return { room, told, body, source, ends, read, slow };
}

const unobserved = { hasRead: () => {} };
const piece = 'x'.repeat(100);
const pieceBytes = costOfPiece(Buffer.from(piece));

describe('a shared body', () => {
  it('gives each reader all of it, whenever it begins, and its end', () => {
    const { source, read, room, ends } = shared();
    const first = read();
    source.feed('a');
    source.feed('');
    const second = read();
    source.feed('b');
    const third = read();
    assert.deepEqual([first.text, second.text, third.text], ['ab', 'ab', 'ab']);
    source.end('complete');
    assert.deepEqual(ends, ['complete undefined', 'complete undefined', 'complete undefined']);
    assert.deepEqual([first.ended, second.ended, third.ended], ['complete', 'complete', 'complete']);
    assert.equal(room.heldBytes, 0);
  });

  it('gives those who were there all of it though they begin when it has ended', () => {
    const { source, body, room, told } = shared();
    const readers = [body.newReader(unobserved), body.newReader(unobserved)];
    source.feed('a');
    source.isPaused = false;
    source.feed('b');
    source.end('complete');
    assert.deepEqual([told, room.heldBytes], [['end'], 2 * costOfPiece(Buffer.from('a'))]);
    assert.deepEqual(
      readers.map((reader) => pumped(reader).text),
      ['ab', 'ab'],
    );
    assert.equal(room.heldBytes, 0);
  });

  it('goes on at the pace of the fastest, and each of the others at its own', () => {
    const { source, read, slow } = shared();
    const fast = read();
    const one = read(slow());
    const other = read(slow());
    for (const text of ['a', 'b', 'c']) source.feed(text);
    assert.deepEqual([fast.text, one.text, other.text, source.isPaused], ['abc', 'a', 'a', false]);
    one.drain();
    source.end('complete');
    assert.deepEqual([one.text, one.ended, other.text, other.ended], ['ab', null, 'a', null]);
    one.drain();
    other.drain();
    other.drain();
    assert.deepEqual([one.text, one.ended, other.text, other.ended], ['abc', 'complete', 'abc', 'complete']);
  });

  it('is asked to pause when nobody takes more, until somebody does', () => {
    const { source, read, slow } = shared();
    const one = read(slow());
    const other = read(slow());
    source.feed('a');
    assert.ok(source.isPaused);
    other.drain();
    assert.ok(!source.isPaused);
    source.feed('b');
    assert.ok(source.isPaused);
    one.drain();
    assert.ok(source.isPaused, 'it had something to read, and takes its time');
    read();
    assert.ok(!source.isPaused, 'somebody new takes what comes');
  });

  it('waits for nobody who has left', () => {
    const { source, body } = shared();
    const slow = new KeepingSink();
    slow.isSlow = true;
    const reader = body.newReader(unobserved);
    reader.pump(slow);
    const other = body.newReader(unobserved);
    const kept = pumped(other);
    source.feed('a');
    reader.discard();
    assert.equal(slow.ended, 'abandoned');
    source.feed('b');
    assert.ok(!source.isPaused);
    other.discard();
    assert.deepEqual([slow.text, kept.text], ['a', 'ab']);
  });

  it('never waits where it is wanted though nobody reads it', () => {
    const { source, read, slow, told, room } = shared({ isWanted: true, maxBytes: 3 * pieceBytes });
    const one = read(slow());
    for (let n = 0; n < 3; n++) source.feed(piece);
    one.drain();
    for (let n = 0; n < 10; n++) source.feed(piece);
    assert.deepEqual([one.ended, told], ['broken', ['outgrown']]);
    assert.equal(room.heldBytes, 0);
    source.end('complete');
  });

  it('breaks off for all readers alike, behind what had come', () => {
    const { body, source, read, slow, ends } = shared();
    const fast = read();
    const one = read(slow());
    source.feed('a');
    source.feed('b');
    body.end('broken', new GatewayError('upstream_broken', 'as the test says'));
    body.end('complete');
    assert.deepEqual([fast.text, fast.ended, one.ended], ['ab', 'broken', null]);
    one.drain();
    assert.deepEqual([one.text, one.ended], ['ab', 'broken']);
    assert.deepEqual(ends, ['broken upstream_broken', 'broken upstream_broken']);
  });

  it('goes on though a sink throws: that one alone ends', () => {
    const { source, read, ends } = shared();
    const faulty = new KeepingSink();
    faulty.chunk = () => assert.fail('a fault');
    read(faulty);
    const sound = read();
    source.feed('a');
    source.end('complete');
    assert.deepEqual([faulty.ended, sound.text, sound.ended], ['abandoned', 'a', 'complete']);
    assert.deepEqual(ends, ['abandoned internal', 'complete undefined']);
  });

  it('says what is left in order though a sink has more sent while it takes something', () => {
    const { body, read } = shared();
    const greedy = new KeepingSink();
    const first = new KeepingSink();
    let taken = 0;
    greedy.chunk = (bytes) => {
      taken += 1;
      if (taken === 1) body.chunk(Buffer.from('b'));
      else body.end('complete');
      return KeepingSink.prototype.chunk.call(greedy, bytes);
    };
    read(first);
    read(greedy);
    const last = read();
    body.chunk(Buffer.from('a'));
    for (const sink of [first, greedy, last]) assert.deepEqual([sink.text, sink.ended], ['ab', 'complete']);
  });
});

describe('what is kept of a shared body', () => {
  it('is all of it up to a bound, and beyond that what somebody has still to read', () => {
    const { source, read, slow, body, room, told } = shared({ maxBytes: 3 * pieceBytes });
    read();
    for (let n = 0; n < 3; n++) source.feed(piece);
    assert.deepEqual([body.isJoinable, room.heldBytes], [true, 3 * pieceBytes]);
    const late = read(slow());
    late.drain();
    source.feed(piece);
    assert.deepEqual([body.isJoinable, told, room.heldBytes], [false, ['outgrown'], 2 * pieceBytes]);
    for (let n = 0; n < 3; n++) late.drain();
    assert.deepEqual([late.pieces.length, room.heldBytes], [4, 0]);
  });

  it('is not what one who is slow has not read: it is cut off when it falls behind the others by more than the bound', () => {
    const { source, read, slow, room, ends } = shared({ maxBytes: 3 * pieceBytes });
    const fast = read();
    const late = read(slow());
    for (let n = 0; n < 4; n++) source.feed(piece);
    assert.deepEqual([late.ended, room.heldBytes], [null, 3 * pieceBytes]);
    source.feed(piece);
    assert.deepEqual([late.ended, late.pieces.length, ends], ['broken', 1, ['broken fell_behind']]);
    assert.deepEqual([fast.pieces.length, room.heldBytes], [5, 0]);
  });

  it('is more for those who are about to begin', () => {
    const { source, read, body, room } = shared({ maxBytes: 2 * pieceBytes });
    read();
    const reader = body.newReader(unobserved);
    for (let n = 0; n < 5; n++) source.feed(piece);
    assert.equal(room.heldBytes, 5 * pieceBytes);
    assert.equal(pumped(reader).pieces.length, 5);
    assert.equal(room.heldBytes, 0);
  });

  it('has its part of the room that all have: where there is none, nobody may join, and the source waits for the slowest', () => {
    const { source, read, slow, room, told, body } = shared({ roomBytes: 3 * pieceBytes });
    room.hold(pieceBytes);
    const fast = read();
    const late = read(slow());
    source.feed(piece);
    source.feed(piece);
    assert.deepEqual([source.isPaused, body.isJoinable], [false, true]);
    source.feed(piece);
    assert.deepEqual([source.isPaused, body.isJoinable, told], [true, false, ['no room']]);
    assert.deepEqual([fast.pieces.length, room.heldBytes], [3, 3 * pieceBytes], 'what the slow one has read is gone');
    late.drain();
    assert.ok(source.isPaused, 'there is something left to read');
    late.drain();
    assert.ok(!source.isPaused);
    assert.equal(room.heldBytes, pieceBytes);
    source.end('complete');
    assert.equal(late.pieces.length, 3);
  });

  it('is nothing where all have read everything, however little room there is', () => {
    const { source, read, room } = shared({ roomBytes: 0 });
    const [one, other] = [read(), read()];
    for (let n = 0; n < 5; n++) source.feed(piece);
    assert.deepEqual([one.pieces.length, other.pieces.length, room.heldBytes], [5, 5, 0]);
  });

  it('is nothing where all have left', () => {
    const { body, room } = shared({ maxBytes: 2 * pieceBytes });
    const reader = body.newReader(unobserved);
    const sink = pumped(reader);
    for (let n = 0; n < 4; n++) body.chunk(Buffer.from(piece));
    reader.discard();
    for (let n = 0; n < 4; n++) body.chunk(Buffer.from(piece));
    assert.deepEqual([sink.pieces.length, room.heldBytes], [4, 0]);
  });
});

describe('a source that sends what it has in its hands though it was asked to pause', () => {
  it('goes on when there is no reason to wait any more, and never before it is through with that', async () => {
    const { body, read, slow, ends } = shared({ roomBytes: 1.5 * pieceBytes, maxBytes: pieceBytes });
    const fast = read();
    read(slow());
    const asked: string[] = [];
    let isSending = true;
    for (let n = 0; n < 3; n++) {
      if (!body.chunk(Buffer.from(piece)) && asked.length === 0) {
        asked.push('paused');
        body.onDrain(() => asked.push(isSending ? 'too early' : 'goes on'));
      }
    }
    isSending = false;
    await Promise.resolve();
    assert.deepEqual([fast.pieces.length, ends], [3, ['broken fell_behind']]);
    assert.deepEqual(asked, ['paused', 'goes on']);
  });
});

describe('a reader', () => {
  it('that ended before it began is told so, once', () => {
    const { body } = shared();
    const ends: BodyEnd[] = [];
    const reader = body.newReader({ hasRead: ({ how }) => ends.push(how) });
    reader.stop({ how: 'abandoned', why: new GatewayError('client_left', 'left') });
    reader.discard();
    assert.deepEqual([pumped(reader).ended, ends], ['abandoned', ['abandoned']]);
  });

  it('that has ended takes nothing, whatever drains', () => {
    const { source, body } = shared();
    const sink = new KeepingSink();
    sink.isSlow = true;
    const reader = body.newReader(unobserved);
    reader.pump(sink);
    pumped(body.newReader(unobserved));
    source.feed('a');
    source.feed('b');
    reader.discard();
    sink.drain();
    source.feed('c');
    assert.equal(sink.text, 'a');
  });
});
