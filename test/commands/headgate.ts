import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** Where the repository begins. */
export const root: string = join(import.meta.dirname, '..', '..');

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the command line to its end, at the root of the repository, with none of this process's own settings. */
export function headgate(...args: readonly string[]): Ended {
  return runNode(['gateway/main.ts', ...args]);
}

/** Runs Node likewise. */
export function runNode(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    timeout: 60_000,
    env: { PATH: process.env.PATH ?? '', NODE_NO_WARNINGS: '1', ...environment },
  });
  return { code: status, out: stdout, err: stderr };
}

/** A file with this text, gone after the test. */
export function fileWith(context: TestContext, text: string, name = 'gateway.yaml'): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-commands-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** Whether people get the trace of a stack to read. */
export function hasStack(text: string): boolean {
  return /^ {4}at /m.test(text);
}
