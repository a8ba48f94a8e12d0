import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadSettings } from '../../gateway/settings/load.ts';
import { readText } from '../../gateway/settings/read-text.ts';
import { withTop } from './yaml.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-read-'));
after(() => rmSync(folder, { recursive: true }));

execFileSync('mkfifo', [join(folder, 'fifo')]);
symlinkSync('/dev/zero', join(folder, 'zero'));
writeFileSync(join(folder, 'full'), '#'.repeat(1024 * 1024));
writeFileSync(join(folder, 'large'), '#'.repeat(1024 * 1024 + 1));
writeFileSync(join(folder, 'image'), Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 13));

/** What each is, and what is wanted instead. */
const unfit = [
  ['fifo', 'a FIFO', 'a file'],
  ['zero', 'a device', 'a file'],
  ['.', 'a folder', 'a file'],
  ['large', 'a file of more than 1 MiB', 'a smaller one'],
  ['image', 'a binary file', 'a text in UTF-8'],
] as const;

for (const [name, got, wanted] of unfit) {
  test(`${got} in the place of a configuration is a fault, and holds nothing up`, () => {
    const file = join(folder, name);
    assert.throws(() => loadSettings(file, {}), { message: `${file}:1:1: got ${got}, wanted ${wanted}` });
  });

  test(`${got} in the place of a file that is named is a fault where it is named`, () => {
    const file = join(folder, 'gateway.yaml');
    writeFileSync(file, withTop(`admin: { token_file: ${JSON.stringify(name)} }`));
    assert.throws(() => loadSettings(file, {}), {
      message: `${file}:7:22: admin.token_file: got ${JSON.stringify(name)} (${got}), wanted ${wanted}`,
    });
  });
}

test('a file of the largest size, one of more where more is allowed, and one whose size the system does not tell, are read whole', () => {
  assert.equal(readText(join(folder, 'full')).length, 1024 * 1024);
  assert.equal(readText(join(folder, 'large'), 2).length, 1024 * 1024 + 1);
  assert.match(readText('/proc/self/status'), /^Name:.*^nonvoluntary_ctxt_switches:/ms);
});
