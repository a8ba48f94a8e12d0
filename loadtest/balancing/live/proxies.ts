/** One simulated server, and what a gateway may be told of it. */
export interface LiveServer {
  readonly port: number;
  readonly slots: number;
  readonly meanMs: number;
}

/** Headgate before them, on a port for clients and one for operators. Told of slots, and with each answer of the load; or of nothing. */
export function headgateConfig(
  servers: readonly LiveServer[],
  [port, adminPort]: readonly [number, number],
  isTold: boolean,
): string {
  const replicas = servers.map(({ port: at, slots }) => {
    const told = isTold ? `, slots: ${slots}` : '';
    return `      - { id: s${at}, url: "http://127.0.0.1:${at}"${told} }`;
  });
  return `listen: { port: ${port} }
admin: { port: ${adminPort} }
telemetry: { log: warn }
backends:
  - name: fleet
    protocol: open-inference
    models: [simulated]
    load: { report: ${isTold} }
    replicas:
${replicas.join('\n')}
`;
}

/** nginx with the better of two that are drawn, by connections. */
export function nginxConfig(servers: readonly LiveServer[], port: number, folder: string): string {
  const upstream = servers.map(({ port: at }) => `server 127.0.0.1:${at} max_fails=0;`).join(' ');
  return `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/nginx-error.log;
events { worker_connections 8192; }
http {
  access_log off;
  client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder}; uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  keepalive_requests 100000000;
  upstream fleet { zone fleet 64k; random two least_conn; ${upstream} keepalive 256; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port};
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    location / { proxy_pass http://fleet; }
  }
}
`;
}

/** HAProxy by least connections; weighted, it is told how fast each server is and how much it takes at once, which nobody else is. */
export function haproxyConfig(servers: readonly LiveServer[], port: number, isWeighted: boolean): string {
  const fastest = Math.max(...servers.map(({ slots, meanMs }) => slots / meanMs));
  const lines = servers.map(({ port: at, slots, meanMs }) => {
    const weight = Math.max(1, Math.round((100 * slots) / meanMs / fastest));
    return `  server s${at} 127.0.0.1:${at}${isWeighted ? ` weight ${weight} maxconn ${slots}` : ''}`;
  });
  return `global
  nbthread 1
  maxconn 8000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout queue 60s
  http-reuse always
frontend clients
  bind 127.0.0.1:${port}
  default_backend fleet
backend fleet
  balance leastconn
${lines.join('\n')}
`;
}
