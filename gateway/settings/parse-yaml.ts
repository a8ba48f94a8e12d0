import { dirname } from 'node:path';
import type { z } from 'zod';
import { ConfigError, describeValue, type Finding, findingsOf, mostFaults, type Path } from './faults.ts';
import type { Environment } from './interpolate.ts';
import type { Resolving } from './resolving.ts';
import { repair, type StandIns } from './stand-ins.ts';
import { YamlSource } from './yaml-source.ts';

/** A kind of YAML file: the shape it has, and what it means. */
export interface YamlForm<Raw, Meaning> {
  readonly schema: z.ZodType<Raw>;
  readonly standIns: StandIns;
  /** Follows references, reads the files it names, and reports whatever does not fit together. */
  resolve(raw: Raw, resolving: Resolving): Meaning;
}

/** A text to parse, and what it may read. Relative paths in it start at the folder of `file`. */
export interface YamlText {
  readonly text: string;
  readonly file: string;
  readonly environment: Environment;
  readText(file: string): string;
}

/** What a YAML text of some form means, frozen. Throws a `ConfigError` with every fault. */
export function parseYaml<Raw, Meaning>(form: YamlForm<Raw, Meaning>, yaml: YamlText): Meaning {
  const { file, readText } = yaml;
  const source = new YamlSource(file, yaml.text, yaml.environment);
  if (source.faults.length > 0) throw new ConfigError(source.faults);
  const { raw, findings, replaced } = parseShape(form, source);
  const faults = findings.slice(0, mostFaults).map(({ path, isAboutKey, wanted }) => {
    const got = isAboutKey ? `the unknown key ${String(path.at(-1))}` : describeValue(source.valueAt(path), path);
    return source.fault(path, got, wanted, isAboutKey);
  });
  let untold = findings.length - faults.length;
  const meaning = raw === null ? null : form.resolve(raw, { baseFolder: dirname(file), readText, report, isFaulty });
  const all = [...source.unset, ...faults];
  if (meaning === null || all.length > 0) throw new ConfigError(all, untold);
  return freeze(meaning);

  function report(path: Path, got: string, wanted: string): void {
    // What stands in for a faulty part is not judged.
    if (source.isUnset(path) || replaced.some((one) => isPrefix(one, path))) return;
    if (faults.length < mostFaults) faults.push(source.fault(path, got, wanted));
    else untold += 1;
  }

  function isFaulty(path: Path): boolean {
    return source.isUnset(path) || faults.some((fault) => isPrefix(fault.path, path) || isPrefix(path, fault.path));
  }
}

interface Shape<Raw> {
  /** Null where too little is left to make sense of. */
  readonly raw: Raw | null;
  /** Those about unset variables are left out. */
  readonly findings: readonly Finding[];
  /** Where something is left out or stands in. */
  readonly replaced: readonly Path[];
}

/** Checks the YAML against the schema, and gives it a form that can be checked further where it does not fit. */
function parseShape<Raw>(form: YamlForm<Raw, unknown>, source: YamlSource): Shape<Raw> {
  const result = form.schema.safeParse(source.value());
  if (result.success) return { raw: result.data, findings: [], replaced: [] };
  const wereRetyped = findingsOf(result.error.issues).map(({ path }) => source.retype(path));
  const { data, error } = wereRetyped.includes(true) ? form.schema.safeParse(source.value()) : result;
  if (error === undefined) return { raw: data, findings: [], replaced: [] };
  const all = findingsOf(error.issues);
  const findings = all.filter(({ path }) => !source.isUnset(path));
  if (findings.length > mostFaults) return { raw: null, findings, replaced: [] };
  return { findings, ...makeFit(form, source.value(), all) };
}

/** What is left of a value when everything that does not fit is replaced; what cannot be is given up with what is around it. */
function makeFit<Raw>(
  { schema, standIns }: YamlForm<Raw, unknown>,
  value: unknown,
  findings: readonly Finding[],
): Omit<Shape<Raw>, 'findings'> {
  const replaced: Path[] = [];
  let misfits = findings;
  // Each round goes one step outwards, so that there are no more of them than anything stands deep.
  for (let rounds = Math.max(...findings.map(({ path }) => path.length)); rounds >= 0; rounds--) {
    repair(value, misfits, standIns);
    replaced.push(...misfits.map(({ path }) => path));
    const { data, error } = schema.safeParse(value);
    if (error === undefined) return { raw: data, replaced };
    misfits = findingsOf(error.issues).map((one) => ({ ...one, path: one.path.slice(0, -1), isAboutKey: false }));
  }
  return { raw: null, replaced };
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
