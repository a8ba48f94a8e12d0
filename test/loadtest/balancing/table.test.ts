import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { columns } from '../../../loadtest/balancing/columns.ts';
import { scenarios } from '../../../loadtest/balancing/scenarios.ts';
import { type Row, renderTable, simulateTable } from '../../../loadtest/balancing/table.ts';
import { isFull } from '../../support/counts.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const kept: readonly Row[] = JSON.parse(readFileSync(join(root, 'loadtest', 'balancing', 'table.json'), 'utf8'));
const shown = ['LC', 'P2C', 'least-time', 'SED', 'adaptive', 'adaptive, told nothing'];

/** Without what the formatter adds for the eye. */
function bare(markdown: string): string[] {
  const lines = markdown.split('\n').filter((line) => line.startsWith('|'));
  return lines.map((line) => line.replaceAll(/ +/g, ' ').replaceAll(/-+/g, '-'));
}

test('the README shows what `npm run sim -- --write` has kept', () => {
  const readme = new Set(bare(readFileSync(join(root, 'README.md'), 'utf8')));
  for (const line of bare(renderTable(kept, shown))) assert.ok(readme.has(line), line);
});

test('the README says as much of where adaptive does not help as the figures do', () => {
  const ratio = (number: string, name: string, of: 'p50Ms' | 'p99Ms'): number => {
    const cells = kept.find((row) => row.number === number)?.cells ?? assert.fail(number);
    return (cells[name]?.[of] ?? Number.NaN) / (cells.LC?.[of] ?? Number.NaN);
  };
  for (const alike of ['1a', '1b']) {
    assert.ok(ratio(alike, 'adaptive', 'p99Ms') > 0.99);
    assert.ok(ratio(alike, 'adaptive', 'p50Ms') < 1.055);
  }
  assert.ok(Math.abs(ratio('4', 'adaptive', 'p99Ms') - 3 / 4) < 0.03);
  assert.ok(Math.abs(ratio('4', 'adaptive', 'p50Ms') - 1.4) < 0.05);
  assert.ok(Math.abs(ratio('4', 'adaptive, told nothing', 'p50Ms') - 1.85) < 0.15);
  assert.ok(Math.abs(ratio('7', 'adaptive', 'p99Ms') - 9 / 10) < 0.02);
});

test('what is kept is what the simulation gives', async () => {
  const chosen = isFull ? scenarios : scenarios.filter(({ number }) => number === '1a');
  const { LC, adaptive } = columns;
  if (LC === undefined || adaptive === undefined) assert.fail('no such columns');
  const asked = { scenarios: chosen, columns: { LC, adaptive }, seeds: [1, 2, 3], progress: () => {} };
  for (const { number, cells } of await simulateTable(asked)) {
    const before = kept.find((row) => row.number === number)?.cells;
    // The same draws and the same steps: what another order of floating-point sums may change is nothing.
    for (const name of ['LC', 'adaptive']) {
      const [now, then] = [cells[name]?.p99Ms ?? Number.NaN, before?.[name]?.p99Ms ?? Number.NaN];
      assert.ok(Math.abs(now / then - 1) < 0.001, `${number} ${name}: ${then} kept, ${now} now`);
    }
  }
});
