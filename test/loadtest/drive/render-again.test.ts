import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { seededRng } from '../../../gateway/kernel/rng.ts';
import { compare } from '../../../loadtest/compare/compare.ts';
import { comparisonFileOf } from '../../../loadtest/compare/comparison.ts';
import { renderAgain } from '../../../loadtest/drive/render-again.ts';
import { comparisonFiles, maxRateFiles, sweepFiles } from '../../../loadtest/drive/results.ts';
import { RunFolderError, writeRun } from '../../../loadtest/report/run-folder.ts';
import type { Section } from '../../../loadtest/report/sections.ts';
import { findMaxRate } from '../../../loadtest/search/find-max-rate.ts';
import { sweep } from '../../../loadtest/search/sweep.ts';
import { plainFacts, record, summaryOf } from '../../support/run-records.ts';

const runWith = (latencyMs: number, target = 'a') =>
  summaryOf(
    Array.from({ length: 100 }, (_, index) => record({ index, plannedAtMs: index * 10, latencyMs })),
    { run: { ...plainFacts.run, target } },
  );
const measureAt = async (ratePerSecond: number) => runWith(ratePerSecond > 300 ? 900 : 50);
const bounds = { startPerSecond: 100, leastPerSecond: 1, mostPerSecond: 1000, precision: 0.2, repeats: 1 };

function comparisonWith(b: string) {
  const pairs = Array.from({ length: 8 }, (_, at) => ({ a: runWith(100 + at), b: runWith(120 + at, b) }));
  return compare(pairs, { rng: seededRng(1) });
}

/** What each mode leaves in a folder. */
const written: Readonly<Record<string, (folder: string) => Promise<readonly Section[]>>> = {
  async comparison(folder) {
    return comparisonFiles.write(folder, comparisonWith('b'));
  },
  async 'comparison of three'(folder) {
    return comparisonFiles.write(folder, comparisonFileOf([comparisonWith('b'), comparisonWith('c')]));
  },
  async 'max-rate'(folder) {
    const isMet = ({ latency }: ReturnType<typeof runWith>): boolean => (latency.ok?.p99Ms ?? 0) < 500;
    return maxRateFiles.write(folder, await findMaxRate({ ...bounds, measureAt, isMet, isInterrupted: () => false }));
  },
  async sweep(folder) {
    return sweepFiles.write(folder, await sweep([100, 200, 400], measureAt));
  },
};

function newFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-results-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** All files below a folder, with what is in them. */
function contents(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name), 'utf8')]),
  );
}

/** Two runs, each in a folder of its own. */
function writeRuns(folder: string): void {
  for (const name of ['01-a', '02-b'])
    writeRun(join(folder, name), { scenarioText: 'x', summary: runWith(50, name), records: [] });
}

for (const [name, write] of Object.entries(written))
  test(`the reports of a ${name} and of its runs are made again from its files`, async (t) => {
    const folder = newFolder(t);
    writeRuns(folder);
    const sections = await write(folder);
    const before = contents(folder);
    for (const file of Object.keys(before)) if (/\.(?:html|md)$/.test(file)) writeFileSync(file, '');
    const told = renderAgain(folder);
    assert.deepEqual(contents(folder), before);
    assert.deepEqual(told.sections, sections);
    assert.deepEqual(told.json, JSON.parse(before[join(folder, `${name.split(' ', 1)}.json`)] ?? ''));
  });

test('the reports of runs side by side are made again, and tell of all', (t) => {
  const folder = newFolder(t);
  writeRuns(folder);
  const { json, sections } = renderAgain(folder);
  assert.deepEqual(json, JSON.parse(JSON.stringify({ version: 1, runs: [runWith(50, '01-a'), runWith(50, '02-b')] })));
  assert.equal(sections.filter(({ title }) => title === 'a-run: VALID').length, 2);
});

test('a folder without results, and one with results that are none, say so', (t) => {
  const folder = newFolder(t);
  assert.throws(() => renderAgain(folder), RunFolderError);
  assert.throws(() => renderAgain(join(folder, 'nowhere')), RunFolderError);
  mkdirSync(join(folder, 'odd'));
  writeFileSync(join(folder, 'odd', 'sweep.json'), '{"points":[]}');
  assert.throws(
    () => renderAgain(join(folder, 'odd')),
    (error) =>
      error instanceof RunFolderError && /sweep\.json is no sweep of ours: .*kneePerSecond/s.test(error.message),
  );
});
