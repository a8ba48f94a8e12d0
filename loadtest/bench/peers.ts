import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { systemClock } from '../../gateway/kernel/system-clock.ts';

/** Something that stands between clients and the backend, running. */
export interface Peer {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  stop(): void;
}

const here = import.meta.dirname;
const root = join(here, '..', '..');
const scratch = mkdtempSync(join(tmpdir(), 'headgate-bench-'));

/** Starts one of this folder's programs and waits until it listens. */
export async function startScript(file: string, ...args: readonly (string | number)[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(here, file), ...args.map(String)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`${file} exited with ${code}`)));
  });
  return child;
}

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

export async function startBareRelay(backendPort: number): Promise<Peer> {
  const port = await freePort();
  const child = await startScript('bare-relay.ts', port, backendPort);
  return asPeer('bare http -> undici relay', port, child);
}

/** Headgate with the settings of config/local.yaml, its log line included; only the workers are replaced by the stub, which serves chats as well. */
export async function startHeadgate(backendPort: number): Promise<Peer> {
  const port = await freePort();
  const config = join(scratch, 'headgate.yaml');
  const url = `http://127.0.0.1:${backendPort}`;
  const local = readFileSync(join(root, 'config', 'local.yaml'), 'utf8');
  const { backends, ...others } = JSON.parse(JSON.stringify(parse(local)), (key, value: unknown) => {
    return key === 'replicas' && Array.isArray(value) ? value.map((_, at) => ({ id: `stub-${at}`, url })) : value;
  });
  const chat = { name: 'chat', protocol: 'openai', models: ['chat'], replicas: [{ id: 'stub', url }] };
  const listeners = { listen: { port }, admin: { port: await freePort() } };
  writeFileSync(config, stringify({ ...others, ...listeners, backends: [...backends, chat] }));
  const log = openSync(join(scratch, 'headgate.log'), 'a');
  const child = spawn(process.execPath, [join(root, 'gateway', 'main.ts'), 'serve', '--config', config], {
    stdio: ['ignore', 'pipe', log],
  });
  await new Promise((resolve, reject) => {
    child.stdout?.once('data', resolve);
    child.once('exit', (code) =>
      reject(new Error(`headgate exited with ${code}: ${readFileSync(join(scratch, 'headgate.log'), 'utf8')}`)),
    );
  });
  return asPeer('Headgate', port, child);
}

/** nginx with one worker process, keep-alive on both sides and an access log; null where it is not installed. */
export async function startNginx(backendPort: number): Promise<Peer | null> {
  if (spawnSync('nginx', ['-v']).error !== undefined) return null;
  const port = await freePort();
  const config = join(scratch, 'nginx.conf');
  writeFileSync(config, nginxConfig(port, backendPort));
  const child = spawn('nginx', ['-c', config, '-p', scratch], { stdio: ['ignore', 'inherit', 'ignore'] });
  await systemClock.sleep(300);
  return asPeer('nginx', port, child);
}

function asPeer(name: string, port: number, child: ChildProcess): Peer {
  if (child.pid === undefined) throw new Error(`${name} did not start`);
  return { name, port, pid: child.pid, stop: () => void child.kill('SIGTERM') };
}

function nginxConfig(port: number, backendPort: number): string {
  return `daemon off; worker_processes 1; pid ${scratch}/nginx.pid; error_log ${scratch}/nginx-error.log;
events { worker_connections 1024; }
http {
  access_log ${scratch}/nginx-access.log;
  client_body_temp_path ${scratch}; proxy_temp_path ${scratch}; fastcgi_temp_path ${scratch}; uwsgi_temp_path ${scratch}; scgi_temp_path ${scratch};
  keepalive_requests 100000000;
  upstream stub { server 127.0.0.1:${backendPort}; keepalive 64; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port};
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    location / { proxy_pass http://stub; }
    location /v1/ { proxy_pass http://stub; proxy_buffering off; }
  }
}
`;
}
