import { basename } from 'node:path';
import type { ReplicaPlace } from './settings.ts';

interface ParsedUrl {
  readonly place: Extract<ReplicaPlace, { kind: 'url' }>;
  /** What the replica is called where it was given no id. */
  readonly defaultId: string;
}

/** For a Unix socket HTTP still needs a host; no name is ever looked up. */
const socketOrigin = 'http://localhost';

/** Where a replica's `url` leads, or null for anything but http, https and unix. */
export function parseReplicaUrl(text: string): ParsedUrl | null {
  if (text.startsWith('unix:')) {
    const socketPath = text.slice('unix:'.length).replace(/^\/\/(?=\/)/, '');
    if (!socketPath.startsWith('/')) return null;
    return { place: { kind: 'url', origin: socketOrigin, basePath: '', socketPath }, defaultId: basename(socketPath) };
  }
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const isPlain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if ((url.protocol !== 'http:' && url.protocol !== 'https:') || !isPlain) return null;
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return {
    place: { kind: 'url', origin: url.origin, basePath: url.pathname.replace(/\/+$/, ''), socketPath: null },
    defaultId: `${url.hostname}:${port}`,
  };
}
