import { type Document, isScalar, visit } from 'yaml';

/** Tells of every key that stands again in its mapping, with its offset. The parser could, but compares each key with each, which takes minutes where there are very many. */
export function findRepeatedKeys(document: Document, report: (offset: number) => void): void {
  visit(document, {
    Map: (_key, { items }) => {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) report(key.range?.[0] ?? 0);
        seen.add(key.value);
      }
    },
  });
}
