import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

interface Program {
  /** What it may be called, the likeliest first. */
  readonly names: readonly string[];
  /** The package of Debian that brings it. */
  readonly aptPackage: string;
}

const installWithinMs = 300_000;

/** The path of a program that is no package of npm. Where it is missing it is installed if that is allowed, else what to do is said: a test that needs it never passes without. */
export function systemProgram({ names, aptPackage }: Program): string {
  const there = pathOf(names);
  if (there !== null) return there;
  const command = `apt-get update && apt-get install -y --no-install-recommends ${aptPackage}`;
  if (process.getuid?.() !== 0 || pathOf(['apt-get']) === null)
    throw new Error(`${names.join(' or ')}: not found; install it, on Debian by: sudo sh -c '${command}'`);
  process.stderr.write(`${names[0]} is missing and is installed: ${command}\n`);
  execFileSync('sh', ['-c', command], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: installWithinMs,
  });
  const installed = pathOf(names);
  if (installed === null) throw new Error(`${command}: brought no ${names.join(' or ')}`);
  return installed;
}

function pathOf(names: readonly string[]): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const paths = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return paths.find(isProgram) ?? null;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
