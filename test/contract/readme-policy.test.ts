import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Policy } from '../../gateway/balance/policy.ts';
import { outstanding } from '../../gateway/balance/signals/outstanding.ts';
import { policySuite } from './policy-suite.ts';

const root = join(import.meta.dirname, '..', '..');
const home = join(root, 'gateway', 'balance', 'policies');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const sample = /^## How to add a policy\n[\s\S]*?^```ts\n([\s\S]*?)^```$/m.exec(readme)?.[1] ?? '';
// It stands elsewhere than in the folder it is written for, which other tests read at the same time.
const folder = mkdtempSync(join(tmpdir(), 'headgate-readme-'));
after(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
const file = join(folder, 'sample.ts');
writeFileSync(
  file,
  sample.replace(/from '(\.\.?\/[^']+)'/g, (_, path: string) => `from '${join(home, path)}'`),
);
const exported = Object.values((await import(pathToFileURL(file).href)) as Record<string, () => Policy>);
const [newPolicy] = exported;

it('the README has one sample policy, of about 20 lines', () => {
  assert.equal(exported.length, 1);
  const lines = sample.trim().split('\n').length;
  assert.ok(lines >= 12 && lines <= 25, `${lines} lines`);
});

it('the sample policy of the README type-checks as code of the gateway does', () => {
  const config = join(folder, 'tsconfig.json');
  const typeRoots = [join(root, 'node_modules', '@types')];
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: { typeRoots, rewriteRelativeImportExtensions: false },
      include: [],
      files: [file],
    }),
  );
  execFileSync(join(root, 'node_modules', '.bin', 'tsc'), ['-p', config], { stdio: 'pipe' });
});

policySuite('of the README', { signal: outstanding, newPolicy: () => newPolicy?.() ?? assert.fail('no sample') });
