import type { PlacedServerSettings } from '../model-server/settings.ts';

/** Where simulated servers listen, by whatever name of this machine. */
const ownHosts: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** Which of a scenario's servers an http URL leads to, by its place in the list; null for none. */
export function serverAt(url: string, servers: readonly Pick<PlacedServerSettings, 'port'>[]): number | null {
  if (!URL.canParse(url)) return null;
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== 'http:' || !ownHosts.has(hostname)) return null;
  const at = servers.findIndex((server) => server.port === Number(port || 80));
  return at < 0 ? null : at;
}

/** What would have led to one. */
export function describePlaces(servers: readonly Pick<PlacedServerSettings, 'port' | 'name'>[]): string {
  return servers.map(({ port, name }) => `http://127.0.0.1:${port} (${name})`).join(', ');
}
