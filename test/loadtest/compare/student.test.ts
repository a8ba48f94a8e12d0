import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalShareBelow, studentBound } from '../../../loadtest/compare/student.ts';

test('the bounds of Student are those of his tables', () => {
  const table = [
    [0.95, 1, 12.706],
    [0.95, 2, 4.303],
    [0.95, 9, 2.262],
    [0.99, 4, 4.604],
    [0.99, 7, 3.499],
    [0.99, 11, 3.106],
    [0.99, 30, 2.75],
  ] as const;
  for (const [share, freedom, bound] of table)
    assert.ok(Math.abs(studentBound(share, freedom) - bound) < 0.0006, `${share} with ${freedom}`);
});

test('the normal shares are those of the tables', () => {
  for (const [value, share] of [
    [0, 0.5],
    [1.959964, 0.975],
    [-2.575829, 0.005],
    [-3.290527, 0.0005],
  ] as const)
    assert.ok(Math.abs(normalShareBelow(value) - share) < 1e-7, `${value}`);
});
