import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng } from '../../../gateway/kernel/rng.ts';
import { Sample } from '../../../loadtest/report/sample.ts';
import { record } from '../../support/run-records.ts';
import { assertUniform } from '../../support/statistics.ts';

test('every record is as likely to be kept, also where two samples were merged', () => {
  const kept = Array.from({ length: 20 }, () => 0);
  const rng = seededRng(11);
  for (let run = 0; run < 2000; run++) {
    const first = new Sample(5, rng);
    const second = new Sample(5, rng);
    for (let index = 0; index < 20; index++) (index < 16 ? first : second).add(record({ index }));
    first.merge(second.encode());
    for (const { index } of first.records()) kept[index] = (kept[index] ?? 0) + 1;
  }
  assertUniform(kept, 'seed 11');
});

test('a sample is the same for the same seed, in the order of the schedule, and whole where all fit', () => {
  const indices = (capacity: number): number[] => {
    const sample = new Sample(capacity, seededRng(5));
    for (let index = 0; index < 100; index++) sample.add(record({ index }));
    return sample.records().map(({ index }) => index);
  };
  assert.deepEqual(indices(10), indices(10));
  assert.deepEqual(
    indices(10),
    indices(10).toSorted((a, b) => a - b),
  );
  assert.equal(indices(10).length, 10);
  assert.deepEqual(
    indices(100),
    Array.from({ length: 100 }, (_, at) => at),
  );
  assert.deepEqual(indices(0), []);
});
