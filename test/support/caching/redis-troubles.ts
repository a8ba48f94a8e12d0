import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { RedisFault } from '../../../gateway/cache/redis-link.ts';
import { isFull, repetitions } from '../counts.ts';
import { pause, type Scope } from '../gateway-process.ts';
import { type RunningRedis, startRedis } from '../redis.ts';

/** How long what goes wrong goes on, where that is up to the test. */
export const faultMs = repetitions({ quick: 1_500, full: 8_000 });

/** Something that goes wrong with a Redis. */
export interface RedisTrouble {
  readonly name: string;
  readonly args?: readonly string[];
  /** Puts something wrong with a Redis, and resolves with what puts it right, or when it is right again by itself. */
  begin(redis: RunningRedis, scope: Scope): Promise<() => unknown>;
  /** What must be told of it, among other things. */
  readonly tells?: RedisFault;
}

const nothing = (): void => {};

/** What goes wrong with a Redis, and what is told of it. */
export const redisFaults: readonly RedisTrouble[] = [
  {
    name: 'is full',
    tells: 'failed',
    begin: async ({ client }) => {
      await client.config('SET', 'maxmemory-policy', 'noeviction');
      await client.config('SET', 'maxmemory', '1mb');
      await pause(faultMs);
      return () => client.config('SET', 'maxmemory', '0');
    },
  },
  {
    name: 'is made a replica, and takes nothing',
    tells: 'failed',
    begin: async ({ client }) => {
      await client.replicaof('127.0.0.1', 1);
      await pause(faultMs);
      return () => client.replicaof('NO', 'ONE');
    },
  },
  {
    name: 'is emptied',
    begin: async ({ client }) => {
      await client.flushall();
      return nothing;
    },
  },
  {
    name: 'is frozen',
    tells: 'slow',
    begin: async ({ process }) => {
      process.kill('SIGSTOP');
      await pause(faultMs);
      return () => process.kill('SIGCONT');
    },
  },
  {
    name: 'answers nobody for a while',
    tells: 'paused',
    begin: async ({ client }) => {
      await client.call('CLIENT', 'PAUSE', faultMs, 'ALL');
      await pause(faultMs);
      return nothing;
    },
  },
  {
    name: 'sleeps',
    tells: 'slow',
    args: ['--enable-debug-command', 'yes'],
    begin: async ({ client }) => {
      await client.call('DEBUG', 'SLEEP', faultMs / 1000);
      return nothing;
    },
  },
  {
    name: 'dies, and is started again',
    tells: 'away',
    begin: async ({ process, port }, scope) => {
      process.kill('SIGKILL');
      await pause(faultMs);
      return () => startRedis(scope, { port });
    },
  },
  {
    name: 'breaks all connections, again and again',
    tells: 'away',
    begin: async ({ client }) => {
      for (let n = 0; n < faultMs / 100; n++) {
        await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        await pause(100);
      }
      return nothing;
    },
  },
];

/** What is at the place of a Redis and is none: what it answers to everything, or null where it hangs up. */
export const impostors: readonly {
  readonly name: string;
  readonly answer: string | Uint8Array | null;
  readonly tells?: RedisFault;
}[] = [
  { name: 'answers in HTTP', answer: 'HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n' },
  { name: 'says one thing to everything', answer: '$4\r\njunk\r\n', tells: 'junk' },
  { name: 'answers with noise', answer: Buffer.from([0, 255, 13, 10, 36, 45, 57, 13, 10]) },
  { name: 'is always loading', answer: '-LOADING Redis is loading the dataset in memory\r\n' },
  { name: 'promises more than anybody can hold', answer: '$9999999999999\r\nx' },
  { name: 'says nothing', answer: '' },
  { name: 'hangs up', answer: null },
];

/** Takes connections and answers whatever comes with the same; hangs up at once where there is nothing to answer. */
export async function startImpostor(context: Scope, answer: string | Uint8Array | null): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    if (answer === null) socket.destroy();
    else socket.on('data', () => socket.write(answer));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** All of them at full counts; else some of each kind, and not the same everywhere. */
export function someOf<Trouble>(all: readonly Trouble[], from: number): readonly Trouble[] {
  return isFull ? all : all.filter((_, at) => at % 3 === from);
}
