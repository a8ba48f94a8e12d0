import {
  type Document,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type Pair,
  parseDocument,
  type Scalar,
  visit,
} from 'yaml';
import type { Fault, Path } from './faults.ts';

/** The environment that `${NAME}` reads from. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A YAML text that still knows where everything stood. */
export class YamlSource {
  readonly file: string;
  readonly #document: Document.Parsed;
  readonly #lines = new LineCounter();
  readonly #interpolated = new Set<unknown>();
  /** Faults found so far: of the syntax, and of variables that are not set. */
  readonly faults: Fault[] = [];

  constructor(file: string, text: string, environment: Environment) {
    this.file = file;
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
    for (const { pos, message } of this.#document.errors) {
      this.faults.push({
        file,
        ...this.#placeOf(pos[0]),
        path: [],
        got: `YAML that cannot be read (${message})`,
        wanted: 'valid YAML',
      });
    }
    visit(this.#document, {
      Scalar: (key, node) => {
        if (key !== 'key') this.#interpolate(node, environment);
      },
    });
  }

  /** The plain value of the whole document. Not to be called while there are faults. */
  value(): unknown {
    return this.#document.toJS({ maxAliasCount: 100 });
  }

  /** The plain value at a path, or undefined. */
  valueAt(path: Path): unknown {
    const node = this.#document.getIn(path, true);
    return isNode(node) ? node.toJS(this.#document) : node;
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
    const node = this.#document.getIn(path, true);
    if (!isScalar(node) || !this.#interpolated.delete(node)) return false;
    const value: unknown = parseDocument(String(node.value)).toJS();
    if (typeof value !== 'number' && typeof value !== 'boolean') return false;
    node.value = value;
    return true;
  }

  /** Replaces `${NAME}` and `${NAME:-default}` in one text; `$$` is a dollar. On parsed scalars only, so that a value can never become structure. */
  #interpolate(node: Scalar, environment: Environment): void {
    if (typeof node.value !== 'string' || !node.value.includes('$')) return;
    const text = node.value;
    node.value = text.replace(
      /\$(?:\$|\{([A-Za-z_]\w*)(?::-([^}]*))?\})/g,
      (whole, name: string | undefined, fallback: string | undefined) => {
        if (name === undefined) return '$';
        const value = environment[name];
        if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
        if (value !== undefined) return value;
        const wanted = `the environment variable ${name}, or a default: \${${name}:-...}`;
        this.faults.push({
          file: this.file,
          ...this.#placeOf(node.range?.[0] ?? 0),
          path: [],
          got: `${whole}, which is not set`,
          wanted,
        });
        return '';
      },
    );
    if (node.value !== text) this.#interpolated.add(node);
  }

  #offsetOf(path: Path, isAboutKey: boolean): number {
    if (isAboutKey) {
      const parent = this.#document.getIn(path.slice(0, -1), true);
      const pair = isMap(parent)
        ? parent.items.find((item: Pair) => isScalar(item.key) && item.key.value === path.at(-1))
        : undefined;
      if (isScalar(pair?.key)) return pair.key.range?.[0] ?? 0;
    }
    for (let length = path.length; length > 0; length--) {
      const node = this.#document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return node.range[0];
    }
    return this.#document.contents?.range?.[0] ?? 0;
  }

  #placeOf(offset: number): { line: number; column: number } {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }
}
