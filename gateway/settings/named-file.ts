import { resolve as resolvePath } from 'node:path';
import type { Path } from './faults.ts';
import type { Resolving } from './resolving.ts';

/** The text of a file named in the configuration, or null with a fault. */
export function readNamedFile(file: string, path: Path, { baseFolder, readText, report }: Resolving): string | null {
  try {
    return readText(resolvePath(baseFolder, file));
  } catch (cause) {
    report(path, `${JSON.stringify(file)} (${codeOf(cause)})`, 'a file that can be read');
    return null;
  }
}

/** The same for a secret, without the space around it. A file with nothing in it is a fault: what it should guard would stand open. */
export function readSecret(file: string, path: Path, resolving: Resolving): string | null {
  const secret = readNamedFile(file, path, resolving)?.trim();
  if (secret === '') resolving.report(path, `${JSON.stringify(file)}, which is empty`, 'a file that holds a secret');
  return secret || null;
}

/** The system's word for why a file cannot be read. */
export function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable';
}
