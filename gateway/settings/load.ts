import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ConfigError, describeValue, type Fault, type Finding, findingsOf, type Path } from './faults.ts';
import { resolve } from './resolve.ts';
import { type RawSettings, settingsSchema } from './schema.ts';
import type { Settings } from './settings.ts';
import { type Environment, YamlSource } from './yaml-source.ts';

/** Reads a configuration file. Throws a `ConfigError` with every fault, or one for a file that cannot be read. */
export function loadSettings(file: string, environment: Environment = process.env): Settings {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable';
    throw new ConfigError([
      { file, line: 1, column: 1, path: [], got: `no text (${code})`, wanted: 'a file that can be read' },
    ]);
  }
  return parseSettings(text, file, environment);
}

/** The same for a text that is already here. Relative paths in it start at the folder of `file`. */
export function parseSettings(text: string, file: string, environment: Environment): Settings {
  const source = new YamlSource(file, text, environment);
  if (source.faults.length > 0) throw new ConfigError(source.faults);
  const { raw, findings } = parseShape(source);
  const faults = findings.map(({ path, isAboutKey, wanted }) => {
    const got = isAboutKey ? `the unknown key ${String(path.at(-1))}` : describeValue(source.valueAt(path), path);
    return source.fault(path, got, wanted, isAboutKey);
  });
  const settings = raw === null ? null : resolve(raw, { baseFolder: dirname(file), report });
  if (settings === null || faults.length > 0) throw new ConfigError(faults.toSorted(byPlace));
  return freeze(settings);

  function report(path: Path, got: string, wanted: string): void {
    // What was left out because it is faulty itself is not missed as well.
    if (!findings.some((finding) => isPrefix(path, finding.path))) faults.push(source.fault(path, got, wanted));
  }
}

interface Shape {
  /** Null where too little is left to make sense of. */
  readonly raw: RawSettings | null;
  readonly findings: readonly Finding[];
}

/** Checks the YAML against the schema. Faulty parts that may be absent are then left out, so that what depends on the rest is checked as well. */
function parseShape(source: YamlSource): Shape {
  let result = settingsSchema.safeParse(source.value());
  if (result.success) return { raw: result.data, findings: [] };
  const wereRetyped = findingsOf(result.error.issues).map(({ path }) => source.retype(path));
  if (wereRetyped.includes(true)) result = settingsSchema.safeParse(source.value());
  if (result.success) return { raw: result.data, findings: [] };
  const findings = findingsOf(result.error.issues);
  const rest = settingsSchema.safeParse(without(source.value(), findings));
  return { raw: rest.success ? rest.data : null, findings };
}

/** A value without what stands at the faulty paths. Items of lists stay, so that the indices behind them hold. */
function without(value: unknown, findings: readonly Finding[]): unknown {
  for (const { path } of findings) {
    let parent: unknown = value;
    for (const part of path.slice(0, -1)) parent = isRecord(parent) ? parent[part] : undefined;
    const last = path.at(-1);
    if (isRecord(parent) && typeof last === 'string') delete parent[last];
  }
  return value;
}

function isRecord(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null;
}

function isPrefix(path: Path, longer: Path): boolean {
  return path.every((part, at) => part === longer[at]);
}

function byPlace(a: Fault, b: Fault): number {
  return a.line - b.line || a.column - b.column;
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) freeze(member);
  }
  return value;
}
