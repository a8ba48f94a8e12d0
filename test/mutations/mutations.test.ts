import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isFull } from '../support/counts.ts';
import { type Mutation, mutations } from './list.ts';

const root = join(import.meta.dirname, '..', '..');

/** Without a guard a test may wait for ever: that is a failure of it, too. */
const longestMs = 120_000;

test('every guard on the list stands where it says, once', () => {
  const wrong = mutations.filter(({ file, text }) => textOf(root, file).split(text).length !== 2);
  assert.deepEqual(
    wrong.map(({ file, text }) => `${file}: ${text}`),
    [],
  );
});

test('what is made of a file is a program still: none fails for being none', () => {
  for (const { file, text, becomes } of mutations)
    assert.doesNotThrow(
      () => stripTypeScriptTypes(textOf(root, file).replace(text, () => becomes)),
      `${file}: ${text}`,
    );
});

if (isFull) {
  const copy = mkdtempSync(join(tmpdir(), 'headgate-mutations-'));
  after(() => rmSync(copy, { recursive: true, force: true }));
  for (const part of ['gateway', 'loadtest', 'test', 'config', 'package.json', 'tsconfig.json'])
    cpSync(join(root, part), join(copy, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));

  test('the tests pass in the copy as it is', async () => {
    const all = [...new Set(mutations.flatMap(({ tests }) => tests))];
    assert.equal(await exitOf(copy, all), 0);
  });

  for (const mutation of mutations) {
    test(`a test fails without the guard that ${mutation.guards}`, async () => {
      const { file, text, becomes, tests } = mutation;
      const whole = textOf(copy, file);
      writeFileSync(
        join(copy, file),
        whole.replace(text, () => becomes),
      );
      try {
        assert.notEqual(await exitOf(copy, tests), 0, describe(mutation));
      } finally {
        writeFileSync(join(copy, file), whole);
      }
    });
  }
}

function textOf(folder: string, file: string): string {
  return readFileSync(join(folder, file), 'utf8');
}

function describe({ file, text, becomes, tests }: Mutation): string {
  return `${file}\n- ${text}\n+ ${becomes}\nand all of these pass: ${tests.join(' ')}`;
}

/** The exit code of a quick run of some test files; -1 where it took too long. */
function exitOf(folder: string, tests: readonly string[]): Promise<number> {
  const { HEADGATE_FULL: _, NODE_TEST_CONTEXT: __, ...env } = process.env;
  const child = spawn(process.execPath, ['--test', ...tests], { cwd: folder, env, stdio: 'ignore', detached: true });
  return new Promise((resolve) => {
    const timer = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), longestMs);
    child.once('exit', (code) => {
      clearTimeout(timer);
      resolve(code ?? -1);
    });
  });
}
