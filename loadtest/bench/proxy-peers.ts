import { spawn, spawnSync } from 'node:child_process';
import { openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asPeer, freePort, listening, type PeerKind, scratch } from './peer.ts';

/** nginx with one worker process. */
export const nginx: PeerKind = {
  name: 'nginx',
  note: 'one worker process; connections kept, an access log; buffering off where chats are',
  async start(backendPort) {
    demand('nginx', '-v', 'nginx-light');
    const port = await freePort();
    const config = join(scratch, 'nginx.conf');
    writeFileSync(config, nginxConfig(port, backendPort));
    const child = spawn('nginx', ['-c', config, '-p', scratch], { stdio: ['ignore', 'ignore', 'ignore'] });
    await listening('nginx', port, child);
    return asPeer('nginx', port, child);
  },
};

/** HAProxy with one thread. */
export const haproxy: PeerKind = {
  name: 'HAProxy',
  note: 'one thread; connections kept and shared, a log line a request',
  async start(backendPort) {
    demand('haproxy', '-v', 'haproxy');
    const port = await freePort();
    const config = join(scratch, 'haproxy.cfg');
    writeFileSync(config, haproxyConfig(port, backendPort));
    const log = openSync(join(scratch, 'haproxy.log'), 'a');
    const child = spawn('haproxy', ['-f', config, '-db'], { stdio: ['ignore', log, 'ignore'] });
    await listening('haproxy', port, child);
    return asPeer('HAProxy', port, child);
  },
};

function demand(program: string, option: string, aptPackage: string): void {
  if (spawnSync(program, [option]).error === undefined) return;
  const command = `apt-get install -y --no-install-recommends ${aptPackage}`;
  if (process.getuid?.() === 0) spawnSync('sh', ['-c', `apt-get update && ${command}`], { stdio: 'ignore' });
  if (spawnSync(program, [option]).error !== undefined) throw new Error(`not installed: ${command}`);
}

function nginxConfig(port: number, backendPort: number): string {
  return `daemon off; worker_processes 1; pid ${scratch}/nginx.pid; error_log ${scratch}/nginx-error.log;
events { worker_connections 8192; }
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

function haproxyConfig(port: number, backendPort: number): string {
  return `global
  nbthread 1
  maxconn 8000
  log stdout format raw local0
defaults
  mode http
  log global
  option httplog
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend clients
  bind 127.0.0.1:${port}
  default_backend stub
backend stub
  server stub 127.0.0.1:${backendPort}
`;
}
