import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemProgram } from './system-program.ts';

test('a program that is there is found by the first of its names that is', () => {
  assert.match(systemProgram({ names: ['no-such-program', 'sh'], aptPackage: 'dash' }), /\/sh$/);
});

test('a program that is missing where nothing can be installed is an error that says what to do', (t) => {
  const { PATH } = process.env;
  t.after(() => {
    process.env.PATH = PATH;
  });
  process.env.PATH = '/nowhere';
  assert.throws(
    () => systemProgram({ names: ['no-such-program'], aptPackage: 'such-a-package' }),
    /no-such-program: not found; .*apt-get install -y \S+ such-a-package/,
  );
});
