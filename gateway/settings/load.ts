import { dirname } from 'node:path';
import { ConfigError, describeValue, type Finding, findingsOf, mostFaults, type Path } from './faults.ts';
import type { Environment } from './interpolate.ts';
import { whyUnread } from './named-file.ts';
import { readText as readFromDisk, UnfitFile } from './read-text.ts';
import { resolve } from './resolve.ts';
import { type RawSettings, settingsSchema } from './schema.ts';
import type { Settings } from './settings.ts';
import { repair } from './stand-ins.ts';
import { YamlSource } from './yaml-source.ts';

/** Reads a configuration file. Throws a `ConfigError` with every fault, or one for a file that cannot be read. `readText` reads it, and whatever it names. */
export function loadSettings(
  file: string,
  environment: Environment = process.env,
  readText: (file: string) => string = readFromDisk,
): Settings {
  let text: string;
  try {
    text = readText(file);
  } catch (cause) {
    const { why, wanted } = whyUnread(cause);
    const got = cause instanceof UnfitFile ? why : `no text (${why})`;
    throw new ConfigError([{ file, line: 1, column: 1, path: [], got, wanted }]);
  }
  return parseSettings(text, file, environment, readText);
}

/** The same for a text that is already here. Relative paths in it start at the folder of `file`. */
export function parseSettings(
  text: string,
  file: string,
  environment: Environment,
  readText: (file: string) => string = readFromDisk,
): Settings {
  const source = new YamlSource(file, text, environment);
  if (source.faults.length > 0) throw new ConfigError(source.faults);
  const { raw, findings } = parseShape(source);
  const faults = findings.slice(0, mostFaults).map(({ path, isAboutKey, wanted }) => {
    const got = isAboutKey ? `the unknown key ${String(path.at(-1))}` : describeValue(source.valueAt(path), path);
    return source.fault(path, got, wanted, isAboutKey);
  });
  let untold = findings.length - faults.length;
  const settings = raw === null ? null : resolve(raw, { baseFolder: dirname(file), readText, report, isFaulty });
  const all = [...source.unset, ...faults];
  if (settings === null || all.length > 0) throw new ConfigError(all, untold);
  return freeze(settings);

  function report(path: Path, got: string, wanted: string): void {
    // What stands in for a faulty part is not judged.
    if (source.isUnset(path) || findings.some((finding) => isPrefix(finding.path, path))) return;
    if (faults.length < mostFaults) faults.push(source.fault(path, got, wanted));
    else untold += 1;
  }

  function isFaulty(path: Path): boolean {
    return source.isUnset(path) || faults.some((fault) => isPrefix(fault.path, path) || isPrefix(path, fault.path));
  }
}

interface Shape {
  /** Null where too little is left to make sense of. */
  readonly raw: RawSettings | null;
  /** Those about unset variables are left out. */
  readonly findings: readonly Finding[];
}

/** Checks the YAML against the schema, and gives it a form that can be checked further where it does not fit. */
function parseShape(source: YamlSource): Shape {
  let result = settingsSchema.safeParse(source.value());
  if (result.success) return { raw: result.data, findings: [] };
  const wereRetyped = findingsOf(result.error.issues).map(({ path }) => source.retype(path));
  if (wereRetyped.includes(true)) result = settingsSchema.safeParse(source.value());
  if (result.success) return { raw: result.data, findings: [] };
  const all = findingsOf(result.error.issues);
  const findings = all.filter(({ path }) => !source.isUnset(path));
  if (findings.length > mostFaults) return { raw: null, findings };
  const rest = source.value();
  repair(rest, all);
  return { raw: settingsSchema.safeParse(rest).data ?? null, findings };
}

function isPrefix(path: Path, longer: Path): boolean {
  return path.every((part, at) => part === longer[at]);
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) freeze(member);
  }
  return value;
}
