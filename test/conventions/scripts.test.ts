import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertNone } from './assert-none.ts';
import { readText, root } from './sources.ts';

const { scripts, optionalDependencies, engines } = JSON.parse(readText('package.json')) as {
  scripts: Record<string, string>;
  optionalDependencies: Record<string, string>;
  engines: { node: string };
};

test('scripts run the Node that came with the packages, and signals reach it', () => {
  const found = Object.entries(scripts).filter(([, line]) => {
    const nodes = line.match(/(?:^|[\s/])node(?=\s)/g) ?? [];
    return nodes.length !== (line.match(/\.\/deploy\/node(?=\s)/g) ?? []).length;
  });
  assertNone(
    found.map(([name, line]) => `${name}: ${line}`),
    'a script says ./deploy/node',
  );
  assert.match(scripts.start ?? '', /^exec /);
});

test('the Node that came with the packages is the one package.json names, also with another first on the path', () => {
  const version = execFileSync(join(root, 'deploy', 'node'), ['--version'], {
    encoding: 'utf8',
    env: { PATH: '/usr/bin:/bin' },
  });
  assert.equal(version.trim(), `v${Object.values(optionalDependencies)[0]}`);
  assert.equal(engines.node, '>=24.9');
});
