import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertNone } from './assert-none.ts';
import { readText } from './sources.ts';

type Versions = Readonly<Record<string, string>>;

interface Manifest {
  readonly dependencies?: Versions;
  readonly devDependencies?: Versions;
  readonly optionalDependencies?: Versions;
}

interface Locked extends Manifest {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
}

const manifest = JSON.parse(readText('package.json')) as Manifest;
const locked = Object.entries(
  (JSON.parse(readText('package-lock.json')) as { packages: Record<string, Locked> }).packages,
);
const installed = locked.filter(([path]) => path !== '');
const wanted: Versions = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies };

test('the lockfile names no place to download from, so that any registry serves', () => {
  const bound = locked.flatMap(([path, { resolved }]) => (resolved === undefined ? [] : [`${path}: ${resolved}`]));
  assertNone(bound, 'package-lock.json has no "resolved"');
});

test('the lockfile holds a checksum of every package', () => {
  assert.ok(installed.length > 0);
  assertNone(
    installed.filter(([, { integrity }]) => !integrity?.startsWith('sha512-')).map(([path]) => path),
    'a package has its integrity',
  );
});

test('dependencies have exact versions', () => {
  assertNone(
    Object.entries(wanted)
      .filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))
      .map(([name, version]) => `package.json: ${name} ${version}`),
    'a version is three numbers',
  );
});

test('the lockfile holds the versions that package.json names', () => {
  const versions = new Map(installed.map(([path, { version }]) => [path, version]));
  assertNone(
    Object.entries(wanted)
      .filter(([name, version]) => versions.get(`node_modules/${name}`) !== version)
      .map(([name, version]) => `${name}: ${versions.get(`node_modules/${name}`)} locked, ${version} wanted`),
    'lockfile and manifest agree',
  );
});

test('every platform gets the same version of Node', () => {
  const nodes = Object.entries(manifest.optionalDependencies ?? {}).filter(([name]) =>
    /^node-(?:bin-)?(?:darwin|linux|win)-/.test(name),
  );
  assert.ok(nodes.length >= 5, 'Linux and macOS on two processors, and Windows');
  assert.equal(new Set(nodes.map(([, version]) => version)).size, 1, JSON.stringify(nodes));
});
