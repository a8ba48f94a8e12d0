import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../gateway/kernel/system-clock.ts';

/** Something that stands between clients and the backend, running. */
export interface Peer {
  readonly name: string;
  readonly port: number;
  /** Of the process whose time, with that of its children, is counted; null for the backend itself, which clients ask directly. */
  readonly pid: number | null;
  /** Headers that it wants of its clients. */
  readonly headers: readonly string[];
  /** Whether chats are all it relays. */
  readonly isChatOnly: boolean;
  stop(): void;
}

/** A peer that may not be there. */
export interface PeerKind {
  readonly name: string;
  /** How it is set up, for people who compare. */
  readonly note: string;
  /** Throws with the reason where it cannot be had. */
  start(backendPort: number): Promise<Peer>;
}

/** Where peers keep their files; in the system's folder for such. */
export const scratch = mkdtempSync(join(tmpdir(), 'headgate-bench-'));

const startWithinMs = 15_000;

/** Starts one of this folder's programs, or another script, and waits until it says that it listens. */
export async function startScript(path: string, ...args: readonly (string | number)[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, path), ...args.map(String)], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let said = '';
  child.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  await new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`${path} exited with ${code}: ${firstErrorOf(said)}`)));
  });
  return child;
}

function firstErrorOf(said: string): string {
  return said.split('\n').find((line) => /error/i.test(line)) ?? said.slice(0, 200);
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Resolves when somebody listens on a port; throws where the process ends before, or takes too long. */
export async function listening(name: string, port: number, child: ChildProcess): Promise<void> {
  const deadlineMs = systemClock.nowMs() + startWithinMs;
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`${name} exited with ${child.exitCode}`);
    if (systemClock.nowMs() > deadlineMs) throw new Error(`${name} does not listen after ${startWithinMs} ms`);
    await systemClock.sleep(50);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const tell = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => tell(true)).once('error', () => tell(false));
  });
}

/** A process as a peer. */
export function asPeer(name: string, port: number, child: ChildProcess, more: Partial<Peer> = {}): Peer {
  if (child.pid === undefined) throw new Error(`${name} did not start`);
  const stop = (): void => void child.kill('SIGTERM');
  return { name, port, pid: child.pid, headers: [], isChatOnly: false, stop, ...more };
}
