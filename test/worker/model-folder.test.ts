import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readModelFolder } from '../../gateway/worker/model-folder.ts';
import { faultyFiles, writeFiles } from '../support/test-models.ts';

const reasons = (folder: string, only: readonly string[] = []) =>
  Object.fromEntries(readModelFolder(folder, only).broken.map(({ name, reason }) => [name, reason]));

test('each folder is a model, and each folder with a number in it a version, from the highest down', (t) => {
  const folder = writeFiles(t, {
    'b/1/model.onnx': '',
    'b/10/model.onnx': '',
    'b/9/model.onnx': '',
    'b/latest/model.onnx': '',
    'b/model.yaml': 'description: all keys\nmax_batch: 64\nwarm_up: false\nbatch_invariant: true\naccuracy: 0.99\n',
    'a/0/model.onnx': '',
  });
  const { sources, broken } = readModelFolder(folder, []);
  assert.deepEqual(broken, []);
  const file = (...path: string[]) => join(folder, ...path, 'model.onnx');
  assert.deepEqual(sources, [
    {
      name: 'a',
      card: { maxBatch: 1, warmUp: true, isBatchInvariant: false },
      versions: [{ version: '0', file: file('a', '0') }],
    },
    {
      name: 'b',
      card: { maxBatch: 64, warmUp: false, isBatchInvariant: true },
      versions: ['10', '9', '1'].map((version) => ({ version, file: file('b', version) })),
    },
  ]);
});

test('an empty card is one that says nothing', (t) => {
  const folder = writeFiles(t, { 'a/model.yaml': '# nothing\n', 'a/1/model.onnx': '' });
  assert.deepEqual(readModelFolder(folder, []).sources[0]?.card, {
    maxBatch: 1,
    warmUp: true,
    isBatchInvariant: false,
  });
});

test('a card at fault is named with its file and its key, and the rest is served', (t) => {
  const folder = writeFiles(t, { ...faultyFiles, 'good/1/model.onnx': '' });
  const { sources } = readModelFolder(folder, []);
  assert.deepEqual(
    sources.map(({ name }) => name),
    ['broken', 'good', 'half-broken', 'no-file'],
  );
  const told = reasons(folder);
  assert.equal(told['bad-card'], `${folder}/bad-card/model.yaml: max_batch: wanted a whole number`);
  assert.equal(told['list-card'], `${folder}/list-card/model.yaml: wanted keys and values`);
  assert.ok(told['no-yaml']?.startsWith(`${folder}/no-yaml/model.yaml: `));
  assert.equal(told.empty, `${folder}/empty has no folder named by a version number`);
});

test('files and hidden folders are passed over; a link counts as what it leads to', (t) => {
  const folder = writeFiles(t, {
    ...{ 'a/1/model.onnx': '', 'a/notes.txt': '', 'a/.2/model.onnx': '' },
    ...{ 'README.md': '', '.git/HEAD': '', '..data/a/1/model.onnx': '' },
  });
  symlinkSync(join(folder, 'a'), join(folder, 'linked'));
  symlinkSync(join(folder, 'README.md'), join(folder, 'linked-file'));
  symlinkSync(join(folder, 'nowhere'), join(folder, 'lost'));
  const { sources } = readModelFolder(folder, []);
  assert.deepEqual(
    sources.map(({ name, versions }) => [name, versions.map(({ version }) => version)]),
    [
      ['a', ['1']],
      ['linked', ['1']],
    ],
  );
  assert.deepEqual(reasons(folder), { lost: `there is no folder ${folder}/lost` });
});

test('only the models asked for are read; one that is not there is told of', (t) => {
  const folder = writeFiles(t, { 'a/1/model.onnx': '', 'b/1/model.onnx': '' });
  const { sources } = readModelFolder(folder, ['b']);
  assert.deepEqual(
    sources.map(({ name }) => name),
    ['b'],
  );
  assert.deepEqual(reasons(folder, ['b', 'c']), { c: `there is no folder ${folder}/c` });
});

test('an empty folder has no models, and one that is not there is an error', (t) => {
  const folder = writeFiles(t, {});
  mkdirSync(join(folder, 'inner'));
  assert.deepEqual(readModelFolder(join(folder, 'inner'), []), { sources: [], broken: [] });
  assert.throws(() => readModelFolder(join(folder, 'other'), []), /ENOENT/);
});
