import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { loadSettings } from '../../gateway/settings/load.ts';
import { readText, root } from '../conventions/sources.ts';

const files = globSync('config/examples/*.yaml', { cwd: root }).map((file) => file.replaceAll('\\', '/'));

it('there are examples', () => assert.ok(files.length >= 3, files.join(', ')));

for (const file of files) {
  describe(file, () => {
    const text = readText(file);
    const wanted = new Set([...text.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => name));

    it('is valid where the variables it wants are set', () => {
      const environment = Object.fromEntries([...wanted].map((name) => [name, `value-of-${name}`]));
      assert.ok(loadSettings(join(root, file), environment).backends.length > 0);
    });

    for (const name of wanted) {
      it(`says so where ${name} is not set`, () => {
        const faults = new RegExp(`${file}:\\d+:\\d+: .*\\b${name}\\b`);
        assert.throws(() => loadSettings(join(root, file), {}), faults);
      });
    }

    it('says in its second line what it is for', () => {
      assert.match(text.split('\n')[1] ?? '', /^# \S.{30,}/);
    });

    it('is mentioned in the README', () => {
      assert.ok(readText('README.md').includes(`(${file})`), `README.md links to ${basename(file)}`);
    });
  });
}
