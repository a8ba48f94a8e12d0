import { test } from 'node:test';
import { assertNone } from './assert-none.ts';
import { exportsOf, placeOf, readSources } from './sources.ts';

/** Words that say nothing about what is inside. */
const empty = new Set([
  'util',
  'utils',
  'helper',
  'helpers',
  'manager',
  'managers',
  'common',
  'service',
  'services',
  'v2',
]);

const sources = readSources('gateway', 'loadtest');

test('no file or folder has an empty name', () => {
  assertNone(
    sources.map(({ file }) => file).filter((file) => hasEmptyWord(file)),
    `no part of a path is ${[...empty].join(', ')}`,
  );
});

test('nothing exported has an empty name', () => {
  const found = sources.flatMap((source) =>
    exportsOf(source)
      .filter(({ name }) => hasEmptyWord(name))
      .map(({ name, statement }) => `${placeOf(source, statement)}: ${name}`),
  );
  assertNone(found, `no word of a name is ${[...empty].join(', ')}`);
});

test('files are named in kebab-case', () => {
  const odd = sources
    .map(({ file }) => file)
    .filter((file) => !/^([a-z0-9]+(-[a-z0-9]+)*\/)+[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(file));
  assertNone(odd, 'paths are in kebab-case');
});

/** Whether one of the words of `kebab-case`, `camelCase` or `a/path.ts` is an empty one. */
function hasEmptyWord(name: string): boolean {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .some((word) => empty.has(word));
}
