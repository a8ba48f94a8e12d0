import type { Path } from './faults.ts';

/** What resolving needs from whoever loads the file. */
export interface Resolving {
  /** Relative paths in the configuration start here. */
  readonly baseFolder: string;
  /** Reads a file; throws what the system says where it cannot. */
  readText(file: string): string;
  report(path: Path, got: string, wanted: string): void;
  /** Whether a fault was found at a path, below it or above it: what depends on it is then not reported. */
  isFaulty(path: Path): boolean;
}

/** Names that occur twice, reported where they occur again. */
export function reportDuplicates(
  named: readonly { name: string; path: Path }[],
  wanted: string,
  { report }: Resolving,
): void {
  const seen = new Set<string>();
  for (const { name, path } of named) {
    if (seen.has(name)) report(path, JSON.stringify(name), wanted);
    seen.add(name);
  }
}
