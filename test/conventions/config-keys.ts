import { isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { jsonSchema } from '../../gateway/settings/schema.ts';
import { assertNone } from './assert-none.ts';

/** A key that a configuration may have. */
export interface SchemaKey {
  /** `backends[].replicas[].url`. */
  readonly path: string;
  /** Its default, where it is one value. */
  readonly fallback: string | null;
  /** It holds no further keys of the schema. */
  readonly isLeaf: boolean;
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly default?: unknown;
}

/** All keys of the schema, outermost first. */
export function schemaKeys(schema: JsonSchema = jsonSchema(), path = ''): SchemaKey[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, member]): SchemaKey[] => {
    const here = path === '' ? name : `${path}.${name}`;
    const below = schemaKeys(member, here);
    const fallback = typeof member.default === 'object' ? undefined : member.default;
    return [
      { path: here, fallback: fallback === undefined ? null : String(fallback), isLeaf: below.length === 0 },
      ...below,
    ];
  });
  const items = schema.items === undefined ? [] : schemaKeys(schema.items, `${path}[]`);
  const unions = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  return [...own, ...items, ...unions.flatMap((one) => schemaKeys(one, path))];
}

/** A configuration in which every key that stands commented out, as `# key: value`, is switched on. */
export function withAllKeys(text: string): string {
  return text.replace(/^( *)# ( *(?:- )?[\w-]+:(?: .*)?)$/gm, (line, indent: string, entry: string) =>
    entry.startsWith('yaml-language-server') ? line : indent + entry,
  );
}

/** Where a key stands in a text. */
export interface WrittenKey {
  readonly path: string;
  readonly line: number;
  /** What the rest of its line says in a comment. */
  readonly comment: string;
}

/** All keys of a YAML text; those of free mappings, such as headers, included. */
export function writtenKeys(text: string): WrittenKey[] {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter });
  if (document.errors[0] !== undefined) throw document.errors[0];
  const lines = text.split('\n');
  const walk = (node: unknown, path: string): WrittenKey[] => {
    if (isSeq(node)) return node.items.flatMap((item) => walk(item, `${path}[]`));
    if (!isMap(node)) return [];
    return node.items.flatMap(({ key, value }) => {
      if (!isScalar(key) || !key.range) return [];
      const { line } = lineCounter.linePos(key.range[0]);
      const here = path === '' ? String(key.value) : `${path}.${key.value}`;
      const comment = / # (.*)$/.exec(lines[line - 1] ?? '')?.[1] ?? '';
      return [{ path: here, line, comment }, ...walk(value, here)];
    });
  };
  return walk(document.contents, '');
}

/** Fails unless each key is explained somewhere on its own line, with its default. */
export function assertExplained(keys: readonly SchemaKey[], written: readonly WrittenKey[]): void {
  const isExplained = ({ path, fallback }: SchemaKey): boolean =>
    written.some(
      (key) =>
        key.path === path && key.comment !== '' && (fallback === null || key.comment.includes(`Default ${fallback}.`)),
    );
  const lacking = keys.filter((key) => !isExplained(key));
  assertNone(
    lacking.map(({ path, fallback }) => `${path}${fallback === null ? '' : `: Default ${fallback}.`}`),
    'a key has a comment on its line, with its default as the schema has it',
  );
}
