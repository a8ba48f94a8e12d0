import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import { readEnvironment } from '../../../loadtest/report/environment.ts';
import { makeRunFolder, RunFolderError, readRun, renderRun, writeRun } from '../../../loadtest/report/run-folder.ts';
import { summarize } from '../../../loadtest/report/summarize.ts';
import { faultyRun, plainFacts, tallyOf } from '../../support/run-records.ts';

const root = mkdtempSync(join(tmpdir(), 'headgate-results-'));
after(() => rmSync(root, { recursive: true }));

const startedAtWallMs = Date.UTC(2026, 10, 25, 3, 14, 40, 123);
const run = { ...plainFacts.run, environment: readEnvironment() };
const tally = tallyOf(faultyRun({ seed: 1, seconds: 5, perSecond: 40 }), { sampleSize: 30 });
const summary = summarize(tally, { ...plainFacts, run });
const scenarioText = 'name: a-run # as it was written\n';

test('a run leaves its scenario, records, summary and reports, and can be rendered again from its files', () => {
  const folder = makeRunFolder(root, startedAtWallMs, 'a run');
  assert.equal(basename(folder), '2026-11-25T03-14-40Z-a-run');
  writeRun(folder, { scenarioText, summary, records: tally.sample.records() });
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  assert.deepEqual(readdirSync(folder).toSorted(), [
    'records.ndjson',
    'report.html',
    'scenario.yaml',
    'summary.json',
    'summary.md',
  ]);
  assert.equal(read('scenario.yaml'), scenarioText);
  const records = read('records.ndjson').trimEnd().split('\n');
  assert.deepEqual(
    records.map((line) => JSON.parse(line)),
    tally.sample.records(),
  );
  assert.equal(records.length, 30);
  const before = [read('report.html'), read('summary.md')];
  writeFileSync(join(folder, 'report.html'), '');
  renderRun(folder, readRun(folder));
  assert.deepEqual([read('report.html'), read('summary.md')], before);
  assert.deepEqual(readRun(folder), JSON.parse(JSON.stringify(summary)));
});

test('two runs of one second have folders of their own, whatever they are called', () => {
  const folders = ['../../etc/x', '../../etc/x', '', '.'].map((name) => makeRunFolder(root, startedAtWallMs, name));
  assert.deepEqual(
    folders.map((folder) => basename(folder).slice('2026-11-25T03-14-40Z-'.length)),
    ['etc-x', 'etc-x-2', 'run', 'run-2'],
  );
  for (const folder of folders) assert.equal(join(folder, '..'), root);
});

test('a folder that holds no run says why', () => {
  const folder = makeRunFolder(root, startedAtWallMs, 'broken');
  assert.throws(
    () => readRun(folder),
    (error) => error instanceof RunFolderError && /no such file/.test(error.message),
  );
  writeFileSync(join(folder, 'summary.json'), '{');
  assert.throws(() => readRun(folder), RunFolderError);
  writeFileSync(join(folder, 'summary.json'), JSON.stringify({ ...summary, version: 2, extra: 1 }));
  assert.throws(
    () => readRun(folder),
    (error) => error instanceof RunFolderError && /: version: .*, and 1 more$/.test(error.message),
  );
  writeFileSync(join(folder, 'summary.json'), JSON.stringify({ name: 'of somebody else' }));
  assert.throws(
    () => readRun(folder),
    (error) => error instanceof RunFolderError && !error.message.includes('\n') && / and \d+ more$/.test(error.message),
  );
});

test('a run knows what it was made with', () => {
  const { node, headgate, gitCommit, processorCount, memoryBytes } = run.environment;
  assert.deepEqual([node, headgate], [process.version, '0.1.0']);
  assert.match(gitCommit ?? '', /^(?:[0-9a-f]{40}(?:-dirty)?)?$/);
  assert.ok(processorCount > 0 && memoryBytes > 1e6);
});

test('a folder that cannot be made is told at once, with what was asked for', () => {
  const file = join(root, 'a-file');
  writeFileSync(file, '');
  for (const asked of ['/proc/nope', '/proc/nope/below', file, join(file, 'below'), ''])
    assert.throws(
      () => makeRunFolder(asked, startedAtWallMs, 'x'),
      (error) =>
        error instanceof RunFolderError &&
        error.message.startsWith(`--out: got ${JSON.stringify(asked)}, wanted a folder`),
      asked,
    );
  assert.equal(basename(makeRunFolder(join(root, 'deep', 'er'), startedAtWallMs, 'x')), '2026-11-25T03-14-40Z-x');
});
