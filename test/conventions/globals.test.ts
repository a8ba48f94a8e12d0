import { test } from 'node:test';
import { type Node, type SourceFile, SyntaxKind } from 'typescript/unstable/ast';
import {
  isIdentifier,
  isNewExpression,
  isPropertyAccessExpression,
  isPropertyDeclaration,
  isVariableDeclaration,
} from 'typescript/unstable/ast/is';
import { assertNone } from './assert-none.ts';
import { importsOf } from './imports.ts';
import { lineOf, nodesOf, placeOf, readSources, type Source } from './sources.ts';

interface Rule {
  readonly claim: string;
  /** Global names, members of global objects, and modules that give the same. */
  readonly names: readonly string[];
  /** Files or folders where they may stand. */
  readonly homes: readonly string[];
}

const clock = 'gateway/kernel/system-clock.ts';
const timers = ['setTimeout', 'setInterval', 'AbortSignal.timeout', 'node:timers', 'node:timers/promises'];
const instants = ['Date.now', 'new Date()', 'performance', 'process.hrtime', 'process.uptime'];
const randomBytes = ['randomUUID', 'randomBytes', 'randomInt', 'randomFill', 'randomFillSync', 'getRandomValues'];

const rules: readonly Rule[] = [
  { claim: 'only the system clock knows the time and sets timers', names: [...timers, ...instants], homes: [clock] },
  {
    claim: 'only the system clock measures, and what watches how late the process itself is',
    names: ['node:perf_hooks'],
    // How long the event loop was held up is a property of the real process, which no other clock has.
    homes: [clock, 'loadtest/drive/event-loop-delay.ts'],
  },
  {
    claim: 'only the clocks wait for a turn of the event loop',
    names: ['setImmediate'],
    // The virtual clock does so in `settlePromises`, neither to measure nor to wait.
    homes: [clock, 'gateway/kernel/virtual-clock.ts'],
  },
  { claim: 'chance comes from rng.ts', names: ['Math.random', ...randomBytes], homes: ['gateway/kernel/rng.ts'] },
  {
    claim: 'the environment is read where the configuration is loaded',
    names: ['process.env', 'node:process'],
    homes: ['gateway/settings/load.ts', 'gateway/main.ts'],
  },
  {
    claim: 'only programs, commands and the log write',
    names: ['console', 'process.stdout', 'process.stderr'],
    homes: [
      'gateway/main.ts',
      'gateway/commands/',
      'gateway/telemetry/log.ts',
      'gateway/worker/training/script.ts',
      'loadtest/balancing/live/main.ts',
      'loadtest/balancing/main.ts',
      'loadtest/bench/main.ts',
      'loadtest/caching/main.ts',
      'loadtest/commands.ts',
    ],
  },
];

const sources = readSources('gateway', 'loadtest');

for (const { claim, names, homes } of rules) {
  test(claim, () => {
    const isHome = (file: string): boolean =>
      homes.some((home) => file === home || (home.endsWith('/') && file.startsWith(home)));
    const found = sources
      .filter(({ file }) => !isHome(file))
      .flatMap(usesOf)
      .filter(({ name }) => names.includes(name))
      .map(({ name, place }) => `${place}: ${name}`);
    assertNone(found, `${names.join(', ')} stand in ${homes.join(', ')} alone`);
  });
}

test('every place where a global may stand is there', () => {
  const homes = rules.flatMap((rule) => rule.homes);
  assertNone(
    homes.filter((home) => !sources.some(({ file }) => file.startsWith(home))),
    'the list names no file that has gone',
  );
});

test('no type is any, and nothing is asserted to be there', () => {
  const found = sources.flatMap((source) =>
    [...nodesOf(source.tree)].filter(isUnsafe).map((node) => `${placeOf(source, node)}: ${node.getText(source.tree)}`),
  );
  assertNone(found, 'neither `any` nor a non-null `!`');
});

test('nothing is left to do, and no checker is told to look away', () => {
  const found = sources.flatMap(({ file, text }) =>
    [...text.matchAll(/@ts-(?:ignore|expect-error|nocheck)|biome-ignore|\b(?:TODO|FIXME|XXX)\b/g)].map(
      (match) => `${file}:${lineOf(text, match.index)}: ${match[0]}`,
    ),
  );
  assertNone(found, 'no suppression and no to-do');
});

function usesOf(source: Source): { readonly name: string; readonly place: string }[] {
  const uses = [...nodesOf(source.tree)].flatMap((node) => {
    const name = globalName(node, source.tree);
    return name === null ? [] : [{ name, place: placeOf(source, node) }];
  });
  return [...uses, ...importsOf(source).map(({ target, place }) => ({ name: target, place }))];
}

/** `console`, `Date.now`, or `new Date()` for the date of this moment; null for what cannot be a use of a global. */
function globalName(node: Node, tree: SourceFile): string | null {
  if (isPropertyAccessExpression(node)) return node.getText(tree).replace(/^globalThis\.|\s|\?/g, '');
  if (isNewExpression(node))
    return (node.arguments?.length ?? 0) === 0 ? `${node.getText(tree).replace('()', '')}()` : null;
  if (!isIdentifier(node)) return null;
  const { parent } = node;
  // A member of something else that bears the name of a global is another thing.
  return isPropertyAccessExpression(parent) &&
    parent.name === node &&
    !/^(globalThis|crypto)$/.test(parent.expression.getText(tree))
    ? null
    : node.text;
}

function isUnsafe(node: Node): boolean {
  if (node.kind === SyntaxKind.AnyKeyword || node.kind === SyntaxKind.NonNullExpression) return true;
  if (isPropertyDeclaration(node)) return node.postfixToken?.kind === SyntaxKind.ExclamationToken;
  return isVariableDeclaration(node) && node.exclamationToken !== undefined;
}
