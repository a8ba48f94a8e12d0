import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { costOf } from '../../../gateway/cache/memory-store.ts';
import { parseTrace } from '../../../loadtest/arrivals/parse-trace.ts';
import { columns } from '../../../loadtest/caching/columns.ts';
import { embeddingsOf } from '../../../loadtest/caching/embeddings.ts';
import { keptSeed, type Row, renderTable, replayTable, workloadsOf } from '../../../loadtest/caching/table.ts';
import { isFull } from '../../support/counts.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const kept: readonly Row[] = JSON.parse(readFileSync(join(root, 'loadtest', 'caching', 'table.json'), 'utf8'));
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** Without what the formatter adds for the eye. */
function bare(markdown: string): string[] {
  const lines = markdown.split('\n').filter((line) => line.startsWith('|'));
  return lines.map((line) => line.replaceAll(/ +/g, ' ').replaceAll(/-+/g, '-'));
}

/** What is kept in front of an answer, about. */
const headBytes = 100;

function hitsOf(title: RegExp, column: string): number {
  const row = kept.find((one) => title.test(one.title)) ?? assert.fail(String(title));
  return 100 * (row.cells[column]?.hits ?? Number.NaN);
}

/** Hits with a column at both kinds of texts, rounded as the README has them. */
function ofTexts(column: string): number[] {
  return [/Zipf 0\.9/, /Zipf 1\.0/].map((title) => Math.round(hitsOf(title, column)));
}

test('the README shows what `npm run caching -- --write` has kept', () => {
  const shown = new Set(bare(readme));
  for (const line of bare(renderTable(kept))) assert.ok(shown.has(line), line);
});

test('the README says as much of what caching brings as the figures do', () => {
  assert.ok(Math.abs(hitsOf(/^chats/, 'for all') - 1) < 0.1);
  assert.deepEqual(ofTexts('memory for 1 %'), [45, 60]);
  assert.deepEqual(ofTexts('for 10 %'), [67, 78]);
  assert.deepEqual(ofTexts('for all'), [90, 92]);
  assert.deepEqual(ofTexts('for all, fresh for 10 min'), [59, 69]);
  assert.ok(hitsOf(/Zipf 1\.0/, 'for all, bodies byte for byte') < 0.35);
  const [answerBytes = 0] = embeddingsOf({ exponent: 1, texts: 1, requests: 1, warmUp: 0 }).answerBytes;
  const [, thousands] = /64 MiB have room for (\d+),000 of these answers/.exec(readme) ?? [];
  assert.equal(Number(thousands), Math.round((64 * 1024 * 1024) / costOf(answerBytes + headBytes) / 1000));
});

test('the table has a row for every workload and a column for every way to keep answers', () => {
  for (const { cells } of kept) assert.deepEqual(Object.keys(cells), Object.keys(columns));
  const trace = parseTrace('{"timestamp":0,"input_length":1,"output_length":1,"hash_ids":[0]}', 'a.jsonl');
  assert.deepEqual(
    kept.map(({ title }) => title),
    workloadsOf(trace).map(({ title }) => title),
  );
});

/** The trace is no part of this repository. */
const traceFile = process.env.MOONCAKE_TRACE;

test('what is kept is what a replay gives, within a tenth of a point', async () => {
  const trace = traceFile === undefined ? null : parseTrace(readFileSync(traceFile, 'utf8'), traceFile);
  const few = embeddingsOf({ exponent: 0.9, texts: 100_000, requests: 40_000, warmUp: 20_000 });
  for (const { title, cells } of await replayTable(isFull ? workloadsOf(trace) : [few], keptSeed, () => {})) {
    const before = kept.find((row) => row.title === title)?.cells ?? {};
    // A memory that has just begun is up to three points worse.
    for (const name of isFull ? Object.keys(columns) : ['memory for 1 %', 'no memory, flights shared'])
      for (const figure of ['hits', 'joined'] as const) {
        const [now, then] = [cells[name]?.[figure] ?? Number.NaN, before[name]?.[figure] ?? Number.NaN];
        assert.ok(
          Math.abs(now - then) <= (isFull ? 0.001 : 0.03),
          `${title}, ${name}: ${figure} ${then} kept, ${now} now`,
        );
      }
  }
});
