import { type Document, type Node, visit } from 'yaml';

/** What the aliases of a document may stand for together: more than anybody writes, too little to fill the memory. */
const mostValues = 10_000;

/** Told what is wrong with the alias that stands at an offset. */
type Report = (offset: number, got: string, wanted: string) => void;

/** Puts a copy of what it names in the place of every alias, one that says it stands where the alias does. The name of an alias is never told: a text that begins with `*` may be a secret that lacks its quotes. */
export function unfoldAliases(document: Document, report: Report): void {
  const anchored = new Map<string, Node>();
  let valueCount = 0;
  visit(document, {
    Value: (_key, node) => {
      if (node.anchor !== undefined) anchored.set(node.anchor, node);
    },
    Alias: (_key, alias, ancestors) => {
      const offset = alias.range?.[0] ?? 0;
      const named = anchored.get(alias.source);
      if (named === undefined || ancestors.includes(named)) {
        report(offset, 'an alias (*) of what no anchor (&) before it names', 'such an anchor, or quotes around a text');
        return undefined;
      }
      const copy = named.clone() as Node;
      visit(copy, {
        Node: (_part, node) => {
          node.range = alias.range ?? null;
          valueCount += 1;
        },
      });
      if (valueCount <= mostValues) return copy;
      report(offset, `aliases that stand for more than ${mostValues} values`, 'fewer of them');
      return visit.BREAK;
    },
  });
}
