import { globSync } from 'node:fs';
import { join, relative } from 'node:path';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const root = join(import.meta.dirname, '..');

interface Counts {
  passed: number;
  failed: number;
  /** Skipped, or marked as to do: neither may happen unseen. */
  notRun: number;
}

/** Runs some files and shows them; files on their own processes, so that one cannot disturb another. */
async function runFiles(files: readonly string[], concurrency: number): Promise<Counts> {
  const counts: Counts = { passed: 0, failed: 0, notRun: 0 };
  const events = run({ files: [...files], concurrency, cwd: root });
  events.on('test:pass', ({ skip, todo, details }) => {
    if (skip !== undefined || todo !== undefined) counts.notRun += 1;
    else if (details.type !== 'suite') counts.passed += 1;
  });
  events.on('test:fail', () => {
    counts.failed += 1;
  });
  const shown = events.compose(spec);
  shown.pipe(process.stdout, { end: false });
  await finished(shown);
  return counts;
}

/** The arguments are parts of file names: `npm test -- dispatcher`. Full counts with `--full`. */
async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--full')) process.env.HEADGATE_FULL = '1';
  const wanted = args.filter((arg) => !arg.startsWith('--'));
  const files = globSync('test/**/*.test.ts', { cwd: root })
    .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
    .map((file) => join(root, file))
    .toSorted();
  const isLive = (file: string): boolean => relative(root, file).startsWith(join('test', 'e2e'));
  const startedAtMs = performance.now();
  const quick = await runFiles(
    files.filter((file) => !isLive(file)),
    2,
  );
  // Live tests measure how processes behave: one file at a time, or they would measure each other.
  const live = await runFiles(files.filter(isLive), 1);
  const passed = quick.passed + live.passed;
  const failed = quick.failed + live.failed;
  const notRun = quick.notRun + live.notRun;
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  process.stdout.write(
    `\n${files.length} files, ${passed} passed, ${failed} failed, ${notRun} not run, ${seconds} s\n`,
  );
  if (passed + failed === 0) process.stdout.write('no test was run: that is a failure\n');
  return failed === 0 && notRun === 0 && passed > 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
