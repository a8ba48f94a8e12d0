import { globSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { Node, SourceFile } from 'typescript/unstable/ast';
import { SyntaxKind } from 'typescript/unstable/ast';
import { isIdentifier, isVariableStatement } from 'typescript/unstable/ast/is';
import { API } from 'typescript/unstable/sync';

export const root: string = join(import.meta.dirname, '..', '..');

/** One file of the program, as text and as syntax tree. */
export interface Source {
  /** From the root of the repository, with forward slashes. */
  readonly file: string;
  readonly text: string;
  readonly tree: SourceFile;
}

/** All TypeScript under some folders, parsed by the compiler that `npm run check` uses: its version is pinned, so that its unstable interface cannot move. */
export function readSources(...folders: readonly string[]): Source[] {
  const files = folders.flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: root }));
  const config = join(root, 'tsconfig.json');
  const compiler = new API({ cwd: root });
  try {
    const program = compiler.updateSnapshot({ openProject: config }).getProject(config)?.program;
    return files.toSorted().map((file) => {
      const tree = program?.getSourceFile(join(root, file));
      if (tree === undefined) throw new Error(`${file} is no part of tsconfig.json, or was removed while this ran`);
      return { file: file.replaceAll(sep, '/'), text: tree.text, tree };
    });
  } finally {
    compiler.close();
  }
}

/** Every node of a file, outermost first. */
export function* nodesOf(tree: SourceFile): Generator<Node> {
  const waiting: Node[] = [tree];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    yield node;
    waiting.push(...childrenOf(node).reverse());
  }
}

function childrenOf(node: Node): Node[] {
  const children: Node[] = [];
  node.forEachChild((child) => {
    children.push(child);
  });
  return children;
}

/** The line of an offset, from 1. */
export function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}

/** `file:line` of a node, for failure texts. */
export function placeOf({ file, text, tree }: Source, node: Node): string {
  return `${file}:${lineOf(text, node.getStart(tree))}`;
}

/** What a file exports by name, with the statement that declares it. */
export function exportsOf({ tree }: Source): { readonly name: string; readonly statement: Node }[] {
  return [...tree.statements].flatMap((statement) => {
    if (!childrenOf(statement).some((child) => child.kind === SyntaxKind.ExportKeyword)) return [];
    const named = isVariableStatement(statement) ? [...statement.declarationList.declarations] : [statement];
    return named.flatMap((one) =>
      'name' in one && one.name !== undefined && isIdentifier(one.name) ? [{ name: one.name.text, statement }] : [],
    );
  });
}

/** A file of the repository as text. */
export function readText(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}
