import { spawn } from 'node:child_process';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { asPeer, freePort, type Peer, type PeerKind, scratch, startScript } from './peer.ts';

const root = join(import.meta.dirname, '..', '..');

/** The least a relay in Node can do: what a gateway costs is measured against it. */
export const bareRelay: PeerKind = {
  name: 'bare relay',
  note: 'Node’s http server and an undici pool, nothing else; connections kept, no log',
  async start(backendPort) {
    const port = await freePort();
    return asPeer('bare relay', port, await startScript('bare-relay.ts', port, backendPort));
  },
};

/** Headgate with the settings of config/local.yaml; only the workers are replaced by the stub, which serves chats as well. */
export const headgate: PeerKind = {
  name: 'Headgate',
  note: 'config/local.yaml with the stub in the place of its workers; connections kept, a log line a request, metrics, load reports',
  start: startHeadgate,
};

async function startHeadgate(backendPort: number): Promise<Peer> {
  const url = `http://127.0.0.1:${backendPort}`;
  const local = readFileSync(join(root, 'config', 'local.yaml'), 'utf8');
  const { backends, ...others } = JSON.parse(JSON.stringify(parse(local)), (key, value: unknown) => {
    return key === 'replicas' && Array.isArray(value) ? value.map((_, at) => ({ id: `stub-${at}`, url })) : value;
  });
  const chat = { name: 'chat', protocol: 'openai', models: ['chat'], replicas: [{ id: 'stub', url }] };
  return startWith('Headgate', { ...others, backends: [...backends, chat] });
}

/** A gateway with some settings, on ports of its own. */
export async function startWith(name: string, settings: object): Promise<Peer> {
  const port = await freePort();
  const config = join(scratch, `${name}.yaml`);
  writeFileSync(config, stringify({ ...settings, listen: { port }, admin: { port: await freePort() } }));
  const log = join(scratch, `${name}.log`);
  const child = spawn(process.execPath, [join(root, 'gateway', 'main.ts'), 'serve', '--config', config], {
    stdio: ['ignore', 'pipe', openSync(log, 'a')],
  });
  await new Promise((resolve, reject) => {
    child.stdout?.once('data', resolve);
    child.once('exit', (code) => reject(new Error(`headgate exited with ${code}: ${readFileSync(log, 'utf8')}`)));
  });
  return asPeer(name, port, child);
}
