import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LoadBoard } from '../../gateway/kernel/load-board.ts';

describe('a load board', () => {
  it('counts for each slot apart', () => {
    const board = new LoadBoard(3);
    const [a, b] = [board.takeSlot(), board.takeSlot()];
    for (let n = 0; n < 5; n++) a.addInFlight(1);
    a.addInFlight(-1);
    b.addInFlight(1);
    assert.deepEqual([a.inFlight, b.inFlight], [4, 1]);
  });

  it('has as many slots as it was made for, and says when they are all taken', () => {
    const board = new LoadBoard(2);
    const offsets = [board.takeSlot().offset, board.takeSlot().offset];
    assert.equal(new Set(offsets).size, 2);
    assert.throws(() => board.takeSlot(), /the load board is full/);
  });

  it('hands a slot that was given back out again, empty', () => {
    const board = new LoadBoard(1);
    const slot = board.takeSlot();
    slot.addInFlight(1);
    board.returnSlot(slot);
    assert.equal(board.takeSlot().inFlight, 0);
  });
});
