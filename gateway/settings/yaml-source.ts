import {
  type Document,
  type ErrorCode,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Pair,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml';
import type { Fault, Path } from './faults.ts';
import { type Environment, interpolate } from './interpolate.ts';
import { findRepeatedKeys } from './repeated-keys.ts';
import { unfoldAliases } from './unfold-aliases.ts';

/** What is said where the parser's own words quote the text, which may be a secret, or speak to programmers. */
const ownWords: Partial<Record<ErrorCode, string>> = {
  BAD_DIRECTIVE: 'Unknown directive',
  BAD_DQ_ESCAPE: 'Invalid escape sequence',
  MULTIPLE_DOCS: 'Several documents',
  TAG_RESOLVE_FAILED: 'Unknown tag',
  UNEXPECTED_TOKEN: 'Unexpected characters',
};

/** What the parser leaves out with a warning. With an unknown tag, `token: !secret` would be an empty text, and the port would stand open. */
const ignored: ReadonlySet<ErrorCode> = new Set(['BAD_DIRECTIVE', 'TAG_RESOLVE_FAILED']);

/** A YAML text that still knows where everything stood. */
export class YamlSource {
  readonly file: string;
  /** Faults of the syntax and of aliases: with any of these there is no value. */
  readonly faults: Fault[] = [];
  /** Variables that are needed and not set; an empty text stands in their place. */
  readonly unset: Fault[] = [];
  /** Counted in the text itself: the parser notes line ends out of order where the syntax is wrong. */
  readonly #lineStarts: readonly number[];
  readonly #document: Document.Parsed;
  readonly #interpolated = new Set<unknown>();
  readonly #lacking = new Set<unknown>();
  /** Of the mappings that have been looked into: there may be as many faults as entries. */
  readonly #entries = new Map<YAMLMap, ReadonlyMap<string, Pair>>();

  constructor(file: string, text: string, environment: Environment) {
    this.file = file;
    this.#lineStarts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
    this.#document = parseDocument(text, { prettyErrors: false, uniqueKeys: false });
    const { errors, warnings } = this.#document;
    for (const { pos, code, message } of [...errors, ...warnings.filter((one) => ignored.has(one.code))])
      this.#tell(this.faults, pos[0], `YAML that cannot be read (${ownWords[code] ?? message})`, 'valid YAML');
    findRepeatedKeys(this.#document, (offset) =>
      this.#tell(this.faults, offset, 'YAML that cannot be read (Map keys must be unique)', 'valid YAML'),
    );
    unfoldAliases(this.#document, (offset, got, wanted) => this.#tell(this.faults, offset, got, wanted));
    this.#interpolateAll(environment);
  }

  /** The plain value of the whole document. Not to be called while there are faults. */
  value(): unknown {
    return this.#document.toJS();
  }

  /** The plain value at a path, or undefined. */
  valueAt(path: Path): unknown {
    const node = this.#nodeAt(path);
    return isNode(node) ? node.toJS(this.#document) : node;
  }

  /** Whether a variable that is not set stands at a path. */
  isUnset(path: Path): boolean {
    return this.#lacking.has(this.#nodeAt(path));
  }

  /** A fault at a path; where the path leads nowhere, at the nearest thing above it. */
  fault(path: Path, got: string, wanted: string, isAboutKey = false): Fault {
    return { file: this.file, ...this.#placeOf(this.#offsetOf(path, isAboutKey)), path, got, wanted };
  }

  /**
   * A text that came from the environment where the schema wants something else is read as YAML would read it there, so that
   * `port: ${PORT}` is a number and `token: ${TOKEN}` stays a text. True when there was something to change.
   */
  retype(path: Path): boolean {
    const node = this.#nodeAt(path);
    if (!isScalar(node) || !this.#interpolated.delete(node)) return false;
    const { contents, errors } = parseDocument(String(node.value));
    if (errors.length > 0 || !isScalar(contents)) return false;
    if (typeof contents.value !== 'number' && typeof contents.value !== 'boolean') return false;
    node.value = contents.value;
    return true;
  }

  /** On parsed scalars only, so that a value can never become structure. */
  #interpolateAll(environment: Environment): void {
    visit(this.#document, {
      Scalar: (key, node) => {
        if (key === 'key' || typeof node.value !== 'string') return;
        const text = interpolate(node.value, environment, (name) => {
          this.#lacking.add(node);
          const wanted = `the environment variable ${name}, or a default: \${${name}:-...}`;
          this.#tell(this.unset, node.range?.[0] ?? 0, `\${${name}}, which is not set`, wanted);
        });
        if (text === node.value) return;
        node.value = text;
        this.#interpolated.add(node);
      },
    });
  }

  #tell(among: Fault[], offset: number, got: string, wanted: string): void {
    among.push({ file: this.file, ...this.#placeOf(offset), path: [], got, wanted });
  }

  #nodeAt(path: Path): unknown {
    let node: unknown = this.#document.contents;
    for (const part of path) {
      if (typeof part === 'number') node = isSeq(node) ? node.items[part] : undefined;
      else node = this.#pairOf(node, part)?.value;
    }
    return node;
  }

  #offsetOf(path: Path, isAboutKey: boolean): number {
    const key = isAboutKey ? this.#pairOf(this.#nodeAt(path.slice(0, -1)), path.at(-1))?.key : undefined;
    if (isScalar(key) && key.range) return key.range[0];
    for (let length = path.length; length > 0; length--) {
      const node = this.#nodeAt(path.slice(0, length));
      if (isNode(node) && node.range) return node.range[0];
    }
    return this.#document.contents?.range?.[0] ?? 0;
  }

  /** The entry of a mapping under a key as JavaScript has it: always a text. */
  #pairOf(node: unknown, key: string | number | undefined): Pair | undefined {
    if (!isMap(node)) return undefined;
    let entries = this.#entries.get(node);
    if (entries === undefined) {
      entries = entriesOf(node);
      this.#entries.set(node, entries);
    }
    return entries.get(String(key));
  }

  #placeOf(offset: number): { line: number; column: number } {
    let line = 0;
    for (let after = this.#lineStarts.length; line + 1 < after; ) {
      const middle = (line + after) >> 1;
      if ((this.#lineStarts[middle] ?? offset) <= offset) line = middle;
      else after = middle;
    }
    return { line: line + 1, column: offset - (this.#lineStarts[line] ?? 0) + 1 };
  }
}

/** Of a key that stands there twice the first. */
function entriesOf({ items }: YAMLMap): Map<string, Pair> {
  const entries = new Map<string, Pair>();
  for (const pair of items) {
    const key = isScalar(pair.key) ? String(pair.key.value ?? '') : null;
    if (key !== null && !entries.has(key)) entries.set(key, pair);
  }
  return entries;
}
