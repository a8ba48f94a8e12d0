import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkShape } from '../../gateway/worker/shape.ts';

const check = (shape: unknown, wanted: readonly number[]) =>
  checkShape(shape, 'inputs[0].shape', { name: 'x', datatype: 'FP32', shape: wanted });

test('a shape of the right rank passes, with any size where the model leaves it free', () => {
  for (const [shape, wanted] of [
    [[], []],
    [[3], [-1]],
    [
      [0, 4],
      [-1, 4],
    ],
    [
      [7, 0],
      [-1, -1],
    ],
    [[2 ** 31], [-1]],
  ] as const)
    assert.deepEqual(check(shape, wanted), shape);
});

test('any other is refused with what the model takes', () => {
  for (const shape of [
    undefined,
    null,
    4,
    '[1,4]',
    {},
    [],
    [1],
    [1, 4, 1],
    [1, 5],
    [-1, 4],
    [1.5, 4],
    ['1', 4],
    [null, 4],
    [true, 4],
    [[1], 4],
    [1n, 4],
  ])
    assert.throws(
      () => check(shape, [-1, 4]),
      /^RequestFault: inputs\[0\]\.shape: got .*, wanted \[-1, 4\], any whole number in the place of -1$/,
    );
  assert.throws(() => check([2], []), /wanted \[\]$/);
});

test('a shape of more elements than a body can hold is refused, also where the product is no number any more', () => {
  for (const shape of [
    [2 ** 31 + 1, 1],
    [2 ** 16, 2 ** 16],
    [1e308, 1e308],
    [0, 2 ** 53],
    [1e308, 0],
  ])
    assert.throws(() => check(shape, [-1, -1]), /wanted at most 2147483648 elements|wanted \[-1, -1\]/);
});
