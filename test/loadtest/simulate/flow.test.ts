import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Flow } from '../../../loadtest/simulate/flow.ts';

/** A flow, and what its reader was told. */
function flowOf(pieceBytes = 4): { flow: Flow; told: string[] } {
  const told: string[] = [];
  const reader = {
    head: ({ status }: { status: number }) => void told.push(`${status}`),
    data: (piece: Buffer) => void told.push(piece.toString()),
    end: () => void told.push('end'),
    broken: () => void told.push('broken'),
  };
  return { flow: new Flow(reader, pieceBytes), told };
}

const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('an answer arrives in order, in pieces, and not within the call that wrote it', async () => {
  const { flow, told } = flowOf();
  flow.head({ status: 200, headers: new Map() });
  flow.write(Buffer.from('abcdef'));
  flow.write(Buffer.from('g'));
  flow.end();
  assert.deepEqual([told, flow.isOver], [[], false]);
  await later();
  assert.deepEqual([told, flow.isOver], [['200', 'abcd', 'ef', 'g', 'end'], true]);
});

test('what breaks off breaks behind what was written before', async () => {
  const { flow, told } = flowOf();
  flow.write(Buffer.from('ab'));
  flow.break();
  flow.end();
  await later();
  assert.deepEqual(told, ['ab', 'broken']);
});

test('a reader that pauses in a piece gets no other, nor the end, until it goes on', async () => {
  const told: string[] = [];
  const flow = new Flow(
    {
      head: () => {},
      data(piece) {
        told.push(piece.toString());
        flow.pause();
      },
      end: () => void told.push('end'),
      broken: () => {},
    },
    2,
  );
  flow.write(Buffer.from('abcd'));
  flow.end();
  for (const wanted of [['ab'], ['ab', 'cd'], ['ab', 'cd', 'end']]) {
    await later();
    assert.deepEqual(told, wanted);
    flow.resume();
  }
});

test('a writer is asked to wait where much is held, and called when all of it has been read', async () => {
  const { flow, told } = flowOf(1 << 20);
  flow.pause();
  assert.equal(flow.write(Buffer.alloc(200 * 1024)), true);
  assert.equal(flow.write(Buffer.alloc(200 * 1024)), false);
  let drained = 0;
  flow.onDrain(() => {
    drained += 1;
  });
  await later();
  assert.deepEqual([drained, told.length], [0, 0]);
  flow.resume();
  await later();
  flow.write(Buffer.alloc(1));
  await later();
  assert.deepEqual([drained, told.length], [1, 3]);
});

test('a reader that has gone is told nothing more', async () => {
  const { flow, told } = flowOf();
  flow.write(Buffer.from('ab'));
  flow.close();
  flow.end();
  await later();
  assert.deepEqual(told, []);
});
