import assert from 'node:assert/strict';
import { existsSync, globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { balancings } from '../../gateway/balance/registry.ts';
import { protocols } from '../../gateway/protocols/registry.ts';
import { dialectNames, policyNames, protocolNames } from '../../gateway/settings/backend-schema.ts';
import { loadSettings } from '../../gateway/settings/load.ts';
import { jsonSchema, settingsSchema } from '../../gateway/settings/schema.ts';
import { dialects } from '../../gateway/upstream/dialects/registry.ts';
import { assertNone } from './assert-none.ts';
import { assertExplained, schemaKeys, withAllKeys, writtenKeys } from './config-keys.ts';
import { readText, root } from './sources.ts';

const everyKey = 'config/gateway.yaml';
const files = globSync('config/**/*.yaml', { cwd: root }).map((file) => file.replaceAll('\\', '/'));
const keys = schemaKeys();
const complete = withAllKeys(readText(everyKey));
const written = writtenKeys(complete);

test('config/schema.json is what `npm run schema` writes', () => {
  assert.deepEqual(JSON.parse(readText('config/schema.json')), jsonSchema(), 'run `npm run schema`');
});

test('config/gateway.yaml shows every key of the schema, live or commented out', () => {
  const shown = new Set(written.map(({ path }) => path));
  assertNone(
    keys.map(({ path }) => path).filter((path) => !shown.has(path)),
    `${everyKey} shows every key`,
  );
});

test('config/gateway.yaml shows no key that the schema does not know', () => {
  const known = keys.map(({ path }) => path);
  // Below a leaf stand names that users choose, those of headers.
  const leaves = keys.filter(({ isLeaf }) => isLeaf).map(({ path }) => path);
  const strange = written.filter(
    ({ path }) => !known.includes(path) && !leaves.some((leaf) => path.startsWith(`${leaf}.`)),
  );
  assertNone(
    strange.map(({ path, line }) => `${everyKey}:${line}: ${path}`),
    'only known keys are shown',
  );
});

test('config/gateway.yaml explains every key where it stands, and names its default', () => {
  assertExplained(keys, written);
});

test('what stands commented out in config/gateway.yaml fits the schema when it is switched on', () => {
  assert.notEqual(complete, readText(everyKey), 'something is commented out');
  const result = settingsSchema.safeParse(parse(complete));
  assertNone(
    (result.error?.issues ?? []).map((issue) => `${issue.path.join('.')}: wanted ${issue.message}`),
    'a commented-out key has a value of the right kind',
  );
});

test('there are configurations to check', () => {
  assert.ok(files.length >= 5, files.join(', '));
});

for (const file of files) {
  test(`${file} is valid where no variable is set`, () => {
    assert.ok(loadSettings(join(root, file), {}).backends.length > 0);
  });

  test(`${file} tells editors where its schema is`, () => {
    const [first = ''] = readText(file).split('\n');
    const path = /^# yaml-language-server: \$schema=(\S+)$/.exec(first)?.[1];
    assert.ok(path !== undefined, `${file}:1: wanted "# yaml-language-server: $schema=..."`);
    assert.equal(join(dirname(file), path), join('config', 'schema.json'));
    assert.ok(existsSync(join(root, dirname(file), path)), `${file}:1: there is no ${path}`);
  });
}

test('policies may be configured by the names under which they are registered', () => {
  assert.deepEqual([...policyNames].toSorted(), Object.keys(balancings).toSorted());
});

test('protocols may be configured by the names under which they are registered', () => {
  assert.deepEqual([...protocolNames].toSorted(), Object.keys(protocols).toSorted());
});

test('dialects may be configured by the names under which they are registered', () => {
  assert.deepEqual([...dialectNames].toSorted(), Object.keys(dialects).toSorted());
});

test('the README has every key in its section on configuration', () => {
  const readme = existsSync(join(root, 'README.md')) ? readText('README.md') : '';
  const section = /^## Configuration\b.*\n((?:(?!^## )[^\n]*\n?)*)/m.exec(readme)?.[1] ?? '';
  const code = (section.match(/^```[\s\S]*?^```|`[^`\n]+`/gm) ?? []).join('\n');
  const lacking = keys.filter(
    ({ path, isLeaf }) => isLeaf && !new RegExp(`\\b${path.split('.').at(-1)}\\b`).test(code),
  );
  assertNone(
    lacking.map(({ path }) => path),
    'README.md, section "## Configuration", names every key in `code`',
  );
});
