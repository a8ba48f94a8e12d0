import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { eventually, type Scope } from './gateway-process.ts';
import { freePort } from './load-tests.ts';
import { systemProgram } from './system-program.ts';

/** A Redis that a test started, and nobody else uses. */
export interface RunningRedis {
  readonly port: number;
  /** `redis://127.0.0.1:port`. */
  readonly url: string;
  readonly process: ChildProcess;
  /** What a test asks it itself. */
  readonly client: Redis;
}

/** Runs a Redis that keeps nothing on disk. It answers when this resolves, and ends with the scope. */
export async function startRedis(
  scope: Scope,
  options: { port?: number; args?: readonly string[] } = {},
): Promise<RunningRedis> {
  const program = systemProgram({ names: ['redis-server'], aptPackage: 'redis-server' });
  const { port = await freePort(), args = [] } = options;
  const folder = mkdtempSync(join(tmpdir(), 'headgate-redis-'));
  const own = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
  const child = spawn(program, [...own, ...args], { stdio: 'ignore' });
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  // A test file that fails while it is set up runs no hooks.
  process.once('exit', kill);
  const client = new Redis(port, '127.0.0.1', { retryStrategy: () => 20 });
  client.on('error', () => {});
  scope.after(() => {
    client.disconnect();
    process.off('exit', kill);
    // One that was stopped is killed as well.
    kill();
    rmSync(folder, { recursive: true, force: true });
  });
  await eventually('redis answers', () => client.status === 'ready');
  return { port, url: `redis://127.0.0.1:${port}`, process: child, client };
}

/** Runs a cluster of three members, each with a third of the slots. */
export async function startRedisCluster(scope: Scope): Promise<readonly [RunningRedis, ...RunningRedis[]]> {
  const members: RunningRedis[] = [];
  for (const name of ['a', 'b', 'c']) {
    const port = await freePort();
    const file = `headgate-test-${process.pid}-${port}-${name}.conf`;
    const args = [
      '--cluster-enabled',
      'yes',
      '--cluster-config-file',
      file,
      '--cluster-port',
      String(await freePort()),
    ];
    members.push(await startRedis(scope, { port, args }));
  }
  const [first, ...others] = members;
  if (first === undefined) throw new Error('a cluster has members');
  const slots = 16_384;
  for (const [at, { client }] of members.entries()) {
    const [from, to] = [Math.floor((slots * at) / members.length), Math.floor((slots * (at + 1)) / members.length) - 1];
    await client.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', at + 1);
  }
  for (const { port, client } of others) {
    const info = String(await client.call('CLUSTER', 'NODES'));
    const busPort = /@(\d+)/.exec(info)?.[1] ?? '';
    await first.client.call('CLUSTER', 'MEET', '127.0.0.1', port, busPort);
  }
  for (const { client } of members)
    await eventually('the cluster is whole', async () => {
      const info = String(await client.call('CLUSTER', 'INFO'));
      return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3');
    });
  return [first, ...others];
}
