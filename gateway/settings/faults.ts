import { distance } from 'fastest-levenshtein';
import type { z } from 'zod';

/** Keys and indices from the root to a value. */
export type Path = readonly (string | number)[];

/** One thing that is wrong with a configuration. */
export interface Fault {
  readonly file: string;
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
  readonly path: Path;
  readonly got: string;
  readonly wanted: string;
}

/** More than anybody reads; beyond these faults are only counted. */
export const mostFaults = 100;

/** A configuration that cannot be used, with its faults. */
export class ConfigError extends Error {
  /** In their order, at most `mostFaults`. */
  readonly faults: readonly Fault[];
  /** How many there are besides. */
  readonly untold: number;

  constructor(faults: readonly Fault[], more = 0) {
    const told = faults.toSorted(byPlace).slice(0, mostFaults);
    const untold = faults.length - told.length + more;
    super(linesOf(told, untold).join('\n'));
    this.name = 'ConfigError';
    this.faults = told;
    this.untold = untold;
  }

  /** One for each fault, and one that counts the others. */
  get lines(): string[] {
    return linesOf(this.faults, this.untold);
  }
}

function linesOf(faults: readonly Fault[], untold: number): string[] {
  const lines = faults.map(describeFault);
  return untold === 0 ? lines : [...lines, `and ${untold} more`];
}

function byPlace(a: Fault, b: Fault): number {
  return a.line - b.line || a.column - b.column;
}

/** `file:line:column: path: got X, wanted Y`. */
export function describeFault({ file, line, column, path, got, wanted }: Fault): string {
  return `${file}:${line}:${column}: ${path.length === 0 ? '' : `${describePath(path)}: `}got ${got}, wanted ${wanted}`;
}

/** `backends[0].replicas[1].url`. */
export function describePath(path: Path): string {
  return path.map((part, at) => (typeof part === 'number' ? `[${part}]` : at === 0 ? part : `.${part}`)).join('');
}

/** What somebody wrote, short enough for one line. Values of secrets are withheld. */
export function describeValue(value: unknown, path: Path): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  if (isSecret(path)) return 'a secret that does not fit';
  if (typeof value !== 'string') return String(value);
  if (mayHoldCredential.test(value)) return 'a text that may hold a credential';
  const text = JSON.stringify(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}..."`;
}

/** A URL with somebody's name in front of its host, or with a query. */
const mayHoldCredential = /\/\/.*@|\?/s;

/** Headers that carry credentials; a route may ask for one. */
const credentialHeader = /authorization|cookie|key|secret|token/i;

/** Whether the value at a path may hold a credential: those are never shown. */
export function isSecret(path: Path): boolean {
  const last = path.at(-1);
  return (
    path.includes('headers') ||
    last === 'token' ||
    (path[0] === 'cache' && path[1] === 'redis') ||
    (path.includes('header') && credentialHeader.test(String(last)))
  );
}

/** The known name that somebody probably meant, or null when none is near. */
export function nearestName(name: string, known: readonly string[]): string | null {
  const [nearest] = known.toSorted((a, b) => distance(name, a) - distance(name, b));
  return nearest !== undefined && distance(name, nearest) <= Math.max(2, name.length / 3) ? nearest : null;
}

/** Where and what of a zod issue, one for each unknown key, and of a union only the branch that was meant. */
export interface Finding {
  readonly path: Path;
  /** The finding is about the key itself rather than its value. */
  readonly isAboutKey: boolean;
  readonly wanted: string;
}

/** What zod found, at most one finding for each path: a text that is empty does not also lack the right form. */
export function findingsOf(issues: readonly z.core.$ZodIssue[]): Finding[] {
  const byPath = Map.groupBy(allFindingsOf(issues, []), ({ path }) => JSON.stringify(path));
  return [...byPath.values()].flatMap(([first]) => first ?? []);
}

function allFindingsOf(issues: readonly z.core.$ZodIssue[], base: Path): Finding[] {
  return issues.flatMap((issue): Finding[] => {
    const path = [...base, ...(issue.path as Path)];
    if (issue.code === 'unrecognized_keys') {
      const known = issue.message.split(', ');
      return issue.keys.map((key) => ({ path: [...path, key], isAboutKey: true, wanted: wantedKey(key, known) }));
    }
    if (issue.code === 'invalid_union') {
      const meant = issue.errors.find(
        (branch) => !branch.some((one) => one.code === 'invalid_type' && one.path.length === 0),
      );
      if (meant !== undefined) return allFindingsOf(meant, path);
    }
    return [{ path, isAboutKey: false, wanted: issue.message }];
  });
}

function wantedKey(key: string, known: readonly string[]): string {
  const nearest = nearestName(key, known);
  return nearest === null ? `one of the keys ${known.join(', ')}` : `the key ${nearest}`;
}
