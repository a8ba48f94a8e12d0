import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const main = join(root, 'gateway', 'main.ts');
const startWithinMs = 30_000;

/** What ends at some time: a test's context, or a whole file by `{ after }` of `node:test`. */
export interface Scope {
  after(call: () => void | Promise<void>): void;
}

interface Options {
  readonly environment?: Readonly<Record<string, string>>;
  /** What stands before the arguments: the program, and what it runs. */
  readonly command?: readonly [string, ...string[]];
  /** Whether the command runs the gateway as a process of its own, which would outlive it. */
  readonly isWrapped?: boolean;
  readonly stderr?: 'pipe' | number;
}

/** A `headgate` process that a test started. Whatever is left of it is killed when the test ends. */
export class HeadgateProcess {
  readonly child: ChildProcess;
  /** Resolves with the exit code, or null where a signal ended it. */
  readonly exited: Promise<number | null>;
  stdout = '';
  stderr = '';

  constructor(context: Scope, args: readonly string[], options: Options = {}) {
    const { environment, command = [process.execPath, main], isWrapped = false, stderr = 'pipe' } = options;
    const [program, ...first] = command;
    this.child = spawn(program, [...first, ...args], {
      cwd: root,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', stderr],
      // In a group of its own, so that the whole of it can be killed.
      detached: isWrapped,
    });
    this.child.stdout?.on('data', (chunk) => {
      this.stdout += chunk;
    });
    this.child.stderr?.on('data', (chunk) => {
      this.stderr += chunk;
    });
    this.exited = new Promise((resolve) => {
      this.child.once('exit', (code) => resolve(code));
    });
    context.after(async () => {
      if (isWrapped) killGroup(this.pid);
      else this.child.kill('SIGKILL');
      await this.exited;
    });
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`headgate did not start: ${this.stderr}`);
    return this.child.pid;
  }

  /** The lines of its log, parsed. */
  get log(): Record<string, unknown>[] {
    return this.stderr.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
  }

  /** Resolves with what a pattern finds in its output; throws when it ends before, or takes too long. */
  async prints(pattern: RegExp, from: 'stdout' | 'stderr' = 'stdout'): Promise<RegExpExecArray> {
    const deadlineMs = performance.now() + startWithinMs;
    while (performance.now() < deadlineMs) {
      const found = pattern.exec(this[from]);
      if (found !== null) return found;
      if (this.child.exitCode !== null || this.child.signalCode !== null) break;
      await pause(5);
    }
    throw new Error(`headgate did not print ${pattern}:\n${this.stdout}\n${this.stderr}`);
  }

  /** Asks it to end, and tells how it did. */
  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return this.exited;
  }
}

function killGroup(leaderPid: number): void {
  try {
    process.kill(-leaderPid, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}

/** A gateway with both its ports on loopback. */
export interface RunningGateway {
  readonly process: HeadgateProcess;
  /** `http://127.0.0.1:port`, each. */
  readonly client: string;
  readonly admin: string;
  /** The value of a metric, summed over all label sets that hold the given labels; 0 where there is none. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
  /** Asks for a change as an operator does, where no token is configured; gives what is answered. */
  change(path: string): Promise<Record<string, unknown>>;
}

/** Runs a gateway with a configuration; `listen` and `admin` are added, with free ports and no grace time, where it has none. Ready when this resolves. */
export async function startGateway(context: Scope, yaml: string): Promise<RunningGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-test-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'gateway.yaml');
  const listen = /^listen:/m.test(yaml) ? '' : 'listen: { port: 0, grace: 0s }\n';
  const admin = /^admin:/m.test(yaml) ? '' : 'admin: { port: 0 }\n';
  writeFileSync(file, listen + admin + yaml);
  // Killed at the end, it cannot clear up after itself.
  return watchGateway(new HeadgateProcess(context, ['serve', '--config', file], { environment: { TMPDIR: folder } }));
}

/** Waits until a gateway has printed where it listens. */
export async function watchGateway(process: HeadgateProcess): Promise<RunningGateway> {
  const [, client = '', admin = ''] = await process.prints(/clients on (\S+) and for operators on (\S+)/);
  return {
    process,
    client,
    admin,
    async metric(name, labels = {}) {
      const text = await (await fetch(`${admin}/metrics`)).text();
      return sumOfMetric(text, name, labels);
    },
    async change(path) {
      const answer = await fetch(`${admin}${path}`, { method: 'POST', headers: { 'x-headgate-admin': '1' } });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      return (await answer.json()) as Record<string, unknown>;
    },
  };
}

/** The sum of all samples of a metric whose labels hold those given, from the text that Prometheus reads. */
export function sumOfMetric(text: string, name: string, labels: Readonly<Record<string, string>>): number {
  let sum = 0;
  for (const line of text.split('\n')) {
    const [, found, own = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (found !== name) continue;
    if (Object.entries(labels).every(([key, wanted]) => own.includes(`${key}="${wanted}"`))) sum += Number(value);
  }
  return sum;
}

/** Resolves when a condition holds; throws with `what` when it does not within a time. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 10_000,
): Promise<void> {
  const deadlineMs = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await pause(5);
  }
}

/** For tests of real processes only. */
export function pause(forMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, forMs);
  });
}
