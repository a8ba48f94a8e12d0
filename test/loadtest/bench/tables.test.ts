import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spreadOf } from '../../../loadtest/bench/spread.ts';
import { renderTables } from '../../../loadtest/bench/tables.ts';

test('a table has a row for every peer, and says of one that failed why', () => {
  const ratio = spreadOf([1.5, 1.4, 1.75]);
  const cost = { microseconds: spreadOf([60, 62, 64]), ratio, unitsPerSecond: ratio, unitsPerRead: ratio };
  const text = renderTables({
    rounds: 3,
    request: [
      { peer: 'one', ...cost },
      { peer: 'other', failure: 'status 500\nand more' },
    ],
    chunk: [],
    latency: [{ peer: 'one', addedP50Ms: spreadOf([0.2]), addedP99Ms: spreadOf([-0.1, 0.3]) }],
    firstToken: [],
    held: [{ peer: 'one', streams: 512 }],
  });
  assert.match(text, /^Processor time a request, .* of 3 interleaved rounds:$/m);
  assert.match(text, /^\| one +\| 62\.0 \(60\.0 \.\. 64\.0\) +\| 1\.50 \(1\.40 \.\. 1\.75\) /m);
  assert.match(text, /^\| other +\| failed: status 500 +\|/m);
  assert.match(text, /^\| one +\| 0\.20 \(0\.20 \.\. 0\.20\) \| -0\.10 \(-0\.10 \.\. 0\.30\) \|$/m);
  assert.match(text, /^\| one +\| 512 +\|$/m);
});
