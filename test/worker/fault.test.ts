import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wrongField } from '../../gateway/worker/fault.ts';

const got = (value: unknown): string => wrongField('x', value, 'y').message;

test('a fault says the field, what it was, and what was wanted', () => {
  const shown: [unknown, string][] = [
    [undefined, 'nothing'],
    [null, 'null'],
    ['a"b', '"a\\"b"'],
    [[1, [2n ** 64n], { a: true, 'b c': [] }], '[1,[18446744073709551616],{"a":true,"b c":[]}]'],
    [Number.NaN, 'NaN'],
    [{}, '{}'],
  ];
  for (const [value, text] of shown) assert.equal(got(value), `x: got ${text}, wanted y`);
  assert.equal(wrongField('x', 1, 'y').status, 400);
});

test('long, wide and deep values are cut, and cost no more than what is shown', () => {
  let deep: unknown = 1;
  for (let level = 0; level < 100_000; level++) deep = level % 2 === 0 ? [deep] : { a: deep };
  for (const value of [
    deep,
    Array(1_000_000).fill(7),
    'x'.repeat(1_000_000),
    { key: 'y'.repeat(1000), ['k'.repeat(200)]: 1 },
  ]) {
    assert.match(got(value), /^x: got .{77}\.\.\., wanted y$/);
  }
  assert.equal(got('x'.repeat(78)), `x: got "${'x'.repeat(78)}", wanted y`);
});
