import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock, Timer } from '../../kernel/clock.ts';

interface Options {
  /** The program and its arguments. */
  readonly command: readonly [string, ...string[]];
  readonly socketPath: string;
  readonly clock: Clock;
  readonly watcher: WorkerWatcher;
}

/** Told what becomes of a worker process. */
export interface WorkerWatcher {
  /** A process has been started and loads its models. */
  starting(pid: number | undefined): void;
  /** It listens. */
  ready(): void;
  /** It is gone without having been asked to; another one follows after `restartInMs`. */
  exited(reason: string, restartInMs: number): void;
}

const firstRestartMs = 50;
const lastRestartMs = 10_000;
/** A worker that was ready for this long did not die of how it was started: the next one comes at once. */
const settledAfterMs = 1_000;
const killAfterMs = 5_000;

/** One bundled worker: a child process on a Unix socket, started, watched, and started again with back-off when it dies. */
export class LocalWorker {
  readonly #options: Options;
  #child: ChildProcess | null = null;
  #restart: Timer | null = null;
  #restartMs = firstRestartMs;
  #readyAtMs: number | null = null;
  #isWanted = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Of the process that runs now. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  start(): void {
    this.#isWanted = true;
    this.#spawn();
  }

  /** Asks the process to finish its work and go; kills it when it takes too long. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#isWanted = false;
    this.#restart?.cancel();
    const child = this.#child;
    if (child === null) return;
    const gone = new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      // A program that could not be started never exits.
      child.once('error', () => resolve());
    });
    child.kill('SIGTERM');
    const kill = this.#options.clock.after(killAfterMs, () => child.kill('SIGKILL'));
    await gone;
    kill.cancel();
  }

  #spawn(): void {
    const { command, socketPath, watcher, clock } = this.#options;
    const [program, ...args] = command;
    // Whoever cleans the folder of temporary files may have taken this one, too.
    mkdirSync(dirname(socketPath), { recursive: true, mode: 0o700 });
    // A socket file left by a killed process would make the next one fail to bind.
    rmSync(socketPath, { force: true });
    // The channel tells the worker when the gateway dies, however it dies.
    // In a group of its own: a signal that a terminal or a supervisor sends to all of them must not end workers before the gateway is done.
    const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], detached: true });
    this.#child = child;
    this.#readyAtMs = null;
    watcher.starting(child.pid);
    child.on('message', () => {
      this.#readyAtMs = clock.nowMs();
      watcher.ready();
    });
    child.once('error', (error) => this.#exited(child, `could not be started: ${error.message}`));
    child.once('exit', (code, signal) =>
      this.#exited(child, signal === null ? `exited with code ${code}` : `was ended by ${signal}`),
    );
  }

  #exited(child: ChildProcess, reason: string): void {
    if (this.#child !== child) return;
    this.#child = null;
    if (!this.#isWanted) return;
    const wasSettled = this.#readyAtMs !== null && this.#options.clock.nowMs() - this.#readyAtMs >= settledAfterMs;
    this.#restartMs = wasSettled ? firstRestartMs : Math.min(this.#restartMs * 2, lastRestartMs);
    this.#options.watcher.exited(reason, this.#restartMs);
    this.#restart = this.#options.clock.after(this.#restartMs, () => this.#spawn());
  }
}
