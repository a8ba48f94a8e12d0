import assert from 'node:assert/strict';
import { it } from 'node:test';
import { BufferRoom } from '../../gateway/pipeline/buffer-room.ts';

it('a room takes what there is room for, and holds what is there already beyond that', () => {
  const room = new BufferRoom(10);
  assert.deepEqual([room.take(6), room.take(5), room.take(4)], [true, false, true]);
  room.hold(5);
  assert.equal(room.heldBytes, 15);
  room.giveBack(6);
  assert.deepEqual([room.take(2), room.take(1)], [false, true]);
});
