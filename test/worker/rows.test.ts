import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng } from '../../gateway/kernel/rng.ts';
import type { Tensor } from '../../gateway/protocols/tensors.ts';
import { joinRows, splitRows } from '../../gateway/worker/rows.ts';

const numbers = (values: readonly number[], rows: number): Tensor => ({
  name: 'x',
  datatype: 'UINT8',
  shape: [rows, rows === 0 ? 2 : values.length / rows],
  data: Uint8Array.from(values),
});

const words = (texts: readonly string[]): Tensor => ({
  name: 'w',
  datatype: 'BYTES',
  shape: [texts.length],
  data: texts,
});

test('rows are joined input by input, in the order of the requests', () => {
  const joined = joinRows([
    [numbers([1, 2], 1), words(['a'])],
    [numbers([], 0), words([])],
    [numbers([3, 4, 5, 6], 2), words(['b', 'c'])],
  ]);
  assert.deepEqual(joined, [numbers([1, 2, 3, 4, 5, 6], 3), words(['a', 'b', 'c'])]);
});

test('joining nothing but empty requests gives an empty one', () => {
  const [joined, texts] = joinRows([
    [numbers([], 0), words([])],
    [numbers([], 0), words([])],
  ]);
  assert.deepEqual(joined?.shape, [0, 2]);
  assert.equal(joined?.data.length, 0);
  assert.deepEqual(texts?.data, []);
});

test('splitting undoes joining, for any requests', () => {
  const rng = seededRng(3);
  for (let round = 0; round < 200; round++) {
    const requests = Array.from({ length: 1 + rng.below(6) }, () => {
      const rows = rng.below(4);
      return [
        { ...numbers([], 0), shape: [rows, 2], data: Uint8Array.from({ length: rows * 2 }, () => rng.below(256)) },
        words(Array.from({ length: rows }, () => String(rng.below(1000)))),
      ];
    });
    const rowsOfEach = requests.map(([first]) => first?.shape[0] ?? 0);
    assert.deepEqual(splitRows(joinRows(requests), rowsOfEach), requests);
  }
});

test('an output with another number of rows than the inputs cannot be split', () => {
  assert.throws(() => splitRows([numbers([1, 2, 3], 3)], [1, 1]), /x has 3 rows for 2 of the inputs/);
  assert.throws(() => splitRows([{ ...numbers([1], 1), shape: [] }], [1, 0]), /x has undefined rows for 1/);
});
