import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RequestRecord } from '../../loadtest/measure/record.ts';
import { type Summary, summarySchema } from '../../loadtest/report/summary.ts';
import { HeadgateProcess, type Scope } from './gateway-process.ts';

/** What a `headgate loadtest` did. */
export interface LoadTest {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Of its results; null where there are none. */
  readonly folder: string | null;
}

/** Runs one to its end. */
export async function loadTest(context: Scope, yaml: string, ...args: readonly string[]): Promise<LoadTest> {
  const place = mkdtempSync(join(tmpdir(), 'headgate-loadtest-'));
  context.after(() => rmSync(place, { recursive: true, force: true }));
  const file = join(place, 'scenario.yaml');
  const out = join(place, 'results');
  writeFileSync(file, yaml);
  const process = new HeadgateProcess(context, ['loadtest', file, '--out', out, ...args]);
  const code = await process.exited;
  const [name] = existsSync(out) ? readdirSync(out) : [];
  return { code, stdout: process.stdout, stderr: process.stderr, folder: name === undefined ? null : join(out, name) };
}

const mostAttempts = 3;

/** The same until its generator kept up, for what can only be measured on a machine that has time for it. Throws when it never did. */
export async function validLoadTest(context: Scope, yaml: string, ...args: readonly string[]): Promise<LoadTest> {
  for (let attempt = 1; ; attempt++) {
    const run = await loadTest(context, yaml, '--json', ...args);
    const { isValid, reasons } = summaryOf(run).verdict;
    if (isValid) return run;
    if (attempt === mostAttempts) throw new Error(`never VALID: ${reasons.join('; ')}`);
  }
}

/** The summary that it printed, checked against its schema. */
export function summaryOf({ stdout, stderr }: LoadTest): Summary {
  try {
    return summarySchema.parse(JSON.parse(stdout));
  } catch (cause) {
    throw new Error(`no summary: ${stdout}\n${stderr}`, { cause });
  }
}

/** The records that it kept. */
export function recordsOf({ folder }: LoadTest): RequestRecord[] {
  const lines = readFileSync(join(folder ?? '', 'records.ndjson'), 'utf8')
    .trimEnd()
    .split('\n');
  return lines.map((line) => JSON.parse(line));
}

/** A port that nobody listens on. */
export function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
