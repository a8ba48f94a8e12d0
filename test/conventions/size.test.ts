import { test } from 'node:test';
import { type Node, SyntaxKind } from 'typescript/unstable/ast';
import { assertNone } from './assert-none.ts';
import { lineOf, nodesOf, placeOf, readSources, type Source } from './sources.ts';

const longestFile = 250;
const longestFunction = 40;

const functions: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.FunctionDeclaration,
  SyntaxKind.FunctionExpression,
  SyntaxKind.ArrowFunction,
  SyntaxKind.MethodDeclaration,
  SyntaxKind.Constructor,
  SyntaxKind.GetAccessor,
  SyntaxKind.SetAccessor,
]);

const sources = readSources('gateway', 'loadtest');

test(`no file has more than ${longestFile} lines`, () => {
  const long = sources
    .map(({ file, text }) => ({ file, lines: text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > longestFile);
  assertNone(
    long.map(({ file, lines }) => `${file}: ${lines} lines`),
    `a file has at most ${longestFile} lines`,
  );
});

test(`no function has more than ${longestFunction} lines`, () => {
  const long = sources.flatMap((source) =>
    [...nodesOf(source.tree)].filter((node) => functions.has(node.kind)).flatMap((node) => tooLong(source, node)),
  );
  assertNone(long, `a function has at most ${longestFunction} lines, its first and last included`);
});

function tooLong(source: Source, node: Node): string[] {
  const { text, tree } = source;
  const lines = lineOf(text, node.end) - lineOf(text, node.getStart(tree)) + 1;
  return lines > longestFunction ? [`${placeOf(source, node)}: ${lines} lines`] : [];
}
