import { posix } from 'node:path';
import { test } from 'node:test';
import { assertNone } from './assert-none.ts';
import { importsOf } from './imports.ts';
import { readSources, type Source } from './sources.ts';

/**
 * Who may import whom, as DESIGN has it: a folder or file of gateway/, and what it may import besides kernel/ and itself.
 * After `type` by `import type` alone, after `dynamic` by `import()` alone.
 */
const walls: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  pipeline: ['type balance'],
  guard: [],
  admission: [],
  settings: [],
  balance: ['guard', 'admission', 'type pipeline'],
  cache: ['type pipeline'],
  routing: ['type balance', 'type pipeline'],
  upstream: ['type balance', 'type guard', 'pipeline'],
  protocols: ['pipeline', 'type upstream'],
  stages: ['pipeline', 'guard', 'admission', 'balance', 'cache', 'routing', 'upstream', 'protocols'],
  http: ['pipeline', 'protocols'],
  jobs: ['pipeline'],
  elastic: ['type balance'],
  telemetry: ['pipeline', 'type balance'],
  worker: [
    'telemetry',
    'protocols/open-inference',
    'protocols/tensors',
    'protocols/content-encoding',
    'upstream/load-report',
    'version',
  ],
  version: [],
  'request-path': ['stages', 'pipeline'],
  main: ['settings', 'version', 'dynamic commands', 'dynamic assemble', 'dynamic worker', 'dynamic loadtest'],
};

/** Packages that belong to one part of the house. */
const packageHomes: Readonly<Record<string, readonly string[]>> = {
  'onnxruntime-node': ['worker'],
  hono: ['http', 'worker', 'commands', 'assemble-ports'],
  '@hono/node-server': ['http', 'worker', 'assemble-ports'],
  'hdr-histogram-js': ['loadtest'],
  ioredis: ['cache'],
  opossum: ['guard'],
};

const sources = readSources('gateway', 'loadtest');

test('every import goes where DESIGN lets it', () => {
  assertNone(
    sources.flatMap((source) => importsOf(source).flatMap((one) => wrongIn(source, one))),
    'imports follow "Who may import whom"',
  );
});

test('every part of gateway/ has its entry among the walls', () => {
  const owners = new Set(sources.filter(({ file }) => file.startsWith('gateway/')).map(({ file }) => ownerOf(file)));
  assertNone(
    [...owners].filter((owner) => !knowsAll(owner) && !(owner in walls)),
    'a new part says what it may import',
  );
});

function wrongIn({ file }: Source, { target, kind, place }: ReturnType<typeof importsOf>[number]): string[] {
  const owner = ownerOf(file);
  if (!target.startsWith('.')) {
    const name = target.split('/', target.startsWith('@') ? 2 : 1).join('/');
    const homes = packageHomes[name];
    return homes === undefined || homes.includes(owner) ? [] : [`${place}: ${owner} imports the package ${name}`];
  }
  const to = posix.join(posix.dirname(file), target);
  const isFine = to.startsWith('loadtest/')
    ? file.startsWith('loadtest/') || (owner === 'main' && kind === 'dynamic')
    : to.startsWith('gateway/') &&
      (file.startsWith('loadtest/') ? !/^(http|worker)$/.test(ownerOf(to)) : mayImport(owner, to, kind));
  return isFine ? [] : [`${place}: ${owner} imports ${kind === 'value' ? '' : `(${kind}) `}${to}`];
}

function mayImport(owner: string, to: string, kind: string): boolean {
  const target = ownerOf(to);
  if (target === owner || knowsAll(owner) || (target === 'kernel' && owner !== 'kernel')) return true;
  return (walls[owner] ?? []).some((wall) => {
    const [name = '', only = kind] = wall.split(' ').toReversed();
    return only === kind && (name === target || `gateway/${name}.ts` === to);
  });
}

/** The folder of gateway/ that a file is in, or its own name where it lies in none. */
function ownerOf(file: string): string {
  const [top = '', folder = ''] = file.split('/');
  return top === 'gateway' ? folder.replace(/\.ts$/, '') : top;
}

function knowsAll(owner: string): boolean {
  return owner === 'commands' || owner === 'assemble' || owner.startsWith('assemble-');
}
