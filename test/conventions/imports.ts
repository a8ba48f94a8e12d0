import { type Node, SyntaxKind } from 'typescript/unstable/ast';
import {
  isCallExpression,
  isExportDeclaration,
  isImportDeclaration,
  isImportTypeNode,
  isLiteralTypeNode,
  isStringLiteral,
} from 'typescript/unstable/ast/is';
import { nodesOf, placeOf, type Source } from './sources.ts';

/** One import, of whatever form. */
export interface Import {
  /** As written: `./x.ts`, `node:fs`, `hono`. */
  readonly target: string;
  /** Whether it is there for the compiler alone, for the module loader, or for whoever calls it. */
  readonly kind: 'type' | 'value' | 'dynamic';
  /** `file:line`. */
  readonly place: string;
}

/** All imports of a file, and exports from elsewhere, which are imports as well. */
export function importsOf(source: Source): Import[] {
  return [...nodesOf(source.tree)].flatMap((node) => {
    const found = importIn(node);
    return found === null || !isStringLiteral(found.target)
      ? []
      : [{ target: found.target.text, kind: found.kind, place: placeOf(source, node) }];
  });
}

function importIn(node: Node): { target: Node; kind: Import['kind'] } | null {
  if (isImportDeclaration(node)) {
    const isType = node.importClause?.phaseModifier === SyntaxKind.TypeKeyword;
    return { target: node.moduleSpecifier, kind: isType ? 'type' : 'value' };
  }
  if (isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
    return { target: node.moduleSpecifier, kind: node.isTypeOnly ? 'type' : 'value' };
  }
  if (isImportTypeNode(node) && isLiteralTypeNode(node.argument)) {
    return { target: node.argument.literal, kind: 'type' };
  }
  if (isCallExpression(node) && node.expression.kind === SyntaxKind.ImportKeyword) {
    const [target] = node.arguments;
    return target === undefined ? null : { target, kind: 'dynamic' };
  }
  return null;
}
