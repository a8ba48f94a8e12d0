import { isMap, isScalar, isSeq } from 'yaml';

/** Keys and indices from the root to a node. */
export type YamlPath = readonly (string | number)[];

/** The paths of all nodes of a YAML document below the given one. */
export function pathsOf(node: unknown, path: YamlPath = []): YamlPath[] {
  const children: [string | number, unknown][] = isMap(node)
    ? node.items.flatMap(({ key, value }): [string, unknown][] => (isScalar(key) ? [[String(key.value), value]] : []))
    : isSeq(node)
      ? node.items.map((item, at): [number, unknown] => [at, item])
      : [];
  return children.flatMap(([key, child]) => [[...path, key], ...pathsOf(child, [...path, key])]);
}
