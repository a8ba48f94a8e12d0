import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { asPeer, freePort, listening, type Peer, type PeerKind, startScript } from './peer.ts';

const source = join(import.meta.dirname, 'peers');

/** Beside the gateway's own packages, of which these are none, and gone with them. */
const installed = join(import.meta.dirname, '..', '..', 'node_modules', '.bench-peers');

/** Puts the scripts there, and the packages as their lockfile has them, where they are not yet. */
function install(): void {
  const lockfile = join(installed, 'package-lock.json');
  const isThere =
    existsSync(join(installed, 'node_modules')) &&
    readFileSync(lockfile, 'utf8') === readFileSync(join(source, 'package-lock.json'), 'utf8');
  cpSync(source, installed, { recursive: true });
  if (isThere) return;
  const { status, stderr } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: installed, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm ci in ${source}: ${stderr.split('\n')[0]}`);
}

function scripted(name: string, file: string, note: string): PeerKind {
  return {
    name,
    note,
    async start(backendPort): Promise<Peer> {
      install();
      const port = await freePort();
      return asPeer(
        name,
        port,
        await startScript(join('..', '..', 'node_modules', '.bench-peers', file), port, backendPort),
      );
    },
  };
}

/** The proxy that most tutorials use. */
export const httpProxy = scripted(
  'http-proxy',
  'http-proxy.mjs',
  'its server, with an agent that keeps connections; no log',
);

/** Fastify's proxy, over undici. */
export const fastifyProxy = scripted(
  '@fastify/http-proxy',
  'fastify-proxy.mjs',
  'its defaults, with as many connections as it takes; no log',
);

/** Portkey's open gateway. It relays chats alone, so that its requests are chats, and its answers are those. */
export const portkey: PeerKind = {
  name: 'Portkey',
  note: 'its Node server, with provider and host in headers; requests are chats that are not streamed, about as large',
  async start(backendPort) {
    install();
    const port = await freePort();
    const program = join(installed, 'node_modules', '@portkey-ai', 'gateway', 'build', 'start-server.js');
    const child = spawn(process.execPath, [program, '--headless', `--port=${port}`], {
      stdio: ['ignore', 'ignore', 'ignore'],
    });
    await listening('Portkey', port, child);
    const headers = ['x-portkey-provider: openai', `x-portkey-custom-host: http://127.0.0.1:${backendPort}/v1`];
    return asPeer('Portkey', port, child, { headers: [...headers, 'authorization: Bearer none'], isChatOnly: true });
  },
};
