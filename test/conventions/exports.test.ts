import { test } from 'node:test';
import type { Node } from 'typescript/unstable/ast';
import { assertNone } from './assert-none.ts';
import { exportsOf, placeOf, readSources, type Source } from './sources.ts';

test('everything exported in gateway/ has a doc comment directly above it', () => {
  const bare = readSources('gateway').flatMap((source) =>
    exportsOf(source)
      .filter(({ statement }) => !isDocumented(source, statement))
      .map(({ name, statement }) => `${placeOf(source, statement)}: ${name}`),
  );
  assertNone(bare, 'an export has a sentence that says what it is');
});

/** Whether the last thing in front of a statement is a doc comment, with no blank line between. */
function isDocumented({ text, tree }: Source, statement: Node): boolean {
  return /\/\*\*(?:(?!\*\/)[\s\S])*\*\/[ \t]*\n[ \t]*$/.test(text.slice(statement.pos, statement.getStart(tree)));
}
