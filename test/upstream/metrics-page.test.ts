import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasLabel, samplesOf } from '../../gateway/upstream/metrics-page.ts';

test('a label is found wherever it stands, and neither within another’s name nor within a value', () => {
  for (const labels of ['a="1"', 'a="1",b="2"', 'b="2",a="1"', 'b="2", a="1"', 'xa="1",a="1"', 'a="1",'])
    assert.equal(hasLabel(labels, 'a', '1'), true, labels);
  for (const labels of ['', 'a="2"', 'xa="1"', 'a="11"', 'b="a=\\"1\\""', 'b=",a=\\"1\\""', 'a=1'])
    assert.equal(hasLabel(labels, 'a', '1'), false, labels);
});

test('samples are those of the very name, each with its labels and its value', () => {
  const page = [
    '# TYPE up gauge',
    'up 1',
    'up{} 2',
    'up{a="}\\" 9"} 3 1788184174081',
    'up\t4',
    'up{a="1"} 5 # {trace="x"} 1.0',
    'up{a="1" 6',
    'up',
    'up ',
    'up{a="1"}7',
    'upper 8',
    'is up 9',
    `up{a="${'x'.repeat(5000)}"} 10`,
    'up nan',
  ].join('\n');
  assert.deepEqual(
    [...samplesOf(page, 'up')].map(({ labels, value }) => [labels, value]),
    [
      ['', 1],
      ['', 2],
      ['a="}\\" 9"', 3],
      ['', 4],
      ['a="1"', 5],
      ['', 'nan'],
    ],
  );
});
