import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng } from '../../../gateway/kernel/rng.ts';
import { instantsOf } from '../../../loadtest/arrivals/instants.ts';
import { parseTrace, TraceError } from '../../../loadtest/arrivals/parse-trace.ts';
import type { Trace, TraceRow } from '../../../loadtest/arrivals/trace.ts';
import { azureLike, mooncakeLike } from '../synthetic-trace.ts';

const header = 'TIMESTAMP,ContextTokens,GeneratedTokens';

function rowsOf(trace: Trace): TraceRow[] {
  return Array.from({ length: trace.size }, (_, at) => trace.row(at));
}

function replay(trace: Trace, speed: number, limit: number | null = null): number[] {
  return [...instantsOf({ kind: 'trace', trace, speed, limit }, null, seededRng(1))];
}

test('a trace of Azure gives instants since its first row, to the tenth of a microsecond', () => {
  const text = `${header}\r\n2023-11-16 18:59:59.9999999,374,44\r\n2023-11-16 19:00:00.0000001,396,109\r\n2023-11-17 00:00:00,1,2`;
  const rows = rowsOf(parseTrace(text, 'a.csv'));
  const [first = Number.NaN, second = Number.NaN, third = Number.NaN] = rows.map(({ atMs }) => atMs);
  assert.equal(first, 0);
  assert.ok(Math.abs(second - 0.0002) < 1e-9, String(second));
  assert.ok(Math.abs(third - 18_000_000.0001) < 1e-6, String(third));
  assert.deepEqual(
    rows.map(({ inputTokens, outputTokens, blocks }) => [inputTokens, outputTokens, blocks]),
    [
      [374, 44, null],
      [396, 109, null],
      [1, 2, null],
    ],
  );
});

test('the time zone of later traces of Azure is read, and a byte order mark is not', () => {
  const text = `\ufeff${header}\n2024-05-10 00:00:00.009930+00:00,1,1\n2024-05-10 00:00:01.009930+00:00,1,1\n`;
  assert.deepEqual(
    rowsOf(parseTrace(text, 'a.csv')).map(({ atMs }) => atMs),
    [0, 1000],
  );
});

test('a trace of Mooncake gives instants, lengths and the ids of blocks', () => {
  const text =
    '{"timestamp": 500, "input_length": 513, "output_length": 5, "hash_ids": [7, 8], "more": 1}\n{"timestamp": 3500, "input_length": 512, "output_length": 6, "hash_ids": [7]}\n';
  assert.deepEqual(rowsOf(parseTrace(text, 'm.jsonl')), [
    { atMs: 0, inputTokens: 513, outputTokens: 5, blocks: Uint32Array.of(7, 8) },
    { atMs: 3000, inputTokens: 512, outputTokens: 6, blocks: Uint32Array.of(7) },
  ]);
});

test('a fault of a trace says its line, also to programs', () => {
  assert.throws(
    () => parseTrace(`${header}\n1,2,3\n`, 'a.csv'),
    (error) => {
      assert.ok(error instanceof TraceError);
      assert.equal(error.line, 2);
      assert.match(error.message, /^line 2: got "1,2,3", wanted a row such as /);
      return true;
    },
  );
});

test('a replay has the instants of the trace, in order, all of them or as many as the limit says', () => {
  const trace = parseTrace(azureLike(500), 'a.csv');
  const written = rowsOf(trace).map(({ atMs }) => atMs);
  assert.deepEqual(replay(trace, 1), written);
  assert.deepEqual(replay(trace, 1, 100), written.slice(0, 100));
  assert.deepEqual(replay(trace, 1, 501), written);
});

test('a replay at another speed is the same in less time', () => {
  const trace = parseTrace(mooncakeLike(500), 'm.jsonl');
  assert.deepEqual(
    replay(trace, 4),
    replay(trace, 1).map((atMs) => atMs / 4),
  );
});

test('rows beyond the last begin again, and the mean rate is that between first and last', () => {
  const trace = parseTrace(
    `${header}\n2024-05-10 00:00:00,1,1\n2024-05-10 00:00:01,2,2\n2024-05-10 00:00:04,3,3\n`,
    'a.csv',
  );
  assert.deepEqual(trace.row(4), trace.row(1));
  assert.equal(trace.meanPerSecond(), 0.5);
  assert.equal(trace.meanPerSecond(2), 1);
  assert.equal(trace.meanPerSecond(1), 0);
});
