import { resolve as resolvePath } from 'node:path';
import type { Path } from './faults.ts';
import { UnfitFile } from './read-text.ts';
import type { Resolving } from './resolving.ts';

/** The text of a file named in the configuration, or null with a fault. */
export function readNamedFile(file: string, path: Path, { baseFolder, readText, report }: Resolving): string | null {
  try {
    return readText(resolvePath(baseFolder, file));
  } catch (cause) {
    const { why, wanted } = whyUnread(cause);
    report(path, `${JSON.stringify(file)} (${why})`, wanted);
    return null;
  }
}

/** The same for a secret, without the space around it. A file with nothing in it is a fault: what it should guard would stand open. */
export function readSecret(file: string, path: Path, resolving: Resolving): string | null {
  const secret = readNamedFile(file, path, resolving)?.trim();
  if (secret === '') resolving.report(path, `${JSON.stringify(file)}, which is empty`, 'a file that holds a secret');
  return secret || null;
}

/** Why a file could not be read: what it is instead, or the system's word; and what was wanted. */
export function whyUnread(cause: unknown): { readonly why: string; readonly wanted: string } {
  if (cause instanceof UnfitFile) return { why: cause.message, wanted: cause.wanted };
  const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable';
  return { why, wanted: 'a file that can be read' };
}
