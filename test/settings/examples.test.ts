import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, it } from 'node:test';
import { readText, root } from '../conventions/sources.ts';

const files = globSync('config/examples/*.yaml', { cwd: root }).map((file) => file.replaceAll('\\', '/'));

it('there are examples', () => assert.ok(files.length >= 3, files.join(', ')));

for (const file of files) {
  describe(file, () => {
    const text = readText(file);
    it('says in its second line what it is for', () => {
      assert.match(text.split('\n')[1] ?? '', /^# \S.{30,}/);
    });

    it('is mentioned in the README', () => {
      assert.ok(readText('README.md').includes(`(${file})`), `README.md links to ${basename(file)}`);
    });
  });
}
