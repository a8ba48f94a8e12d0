import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../kernel/errors.ts';

const loopbackHosts = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Host headers found good before, as they were written: nearly every request carries one of a few. */
const known = new Set<string>();
const mostKnown = 100;

/**
 * On a loopback listener only loopback names are served: a web page can make a name of its own resolve to 127.0.0.1 and then talk to
 * this port as if it were the page's own server (DNS rebinding). Null when the request may pass.
 */
export function refuseForeignHost(incoming: IncomingMessage): GatewayError | null {
  const { host: named } = incoming.headers;
  if (named !== undefined && known.has(named) && incoming.url?.startsWith('/')) return null;
  const authority = authorityOf(incoming);
  // HTTP/1.0 has no Host; no browser speaks it.
  if (authority === null) return null;
  const host = authority.replace(/:\d*$/, '').toLowerCase();
  if (loopbackHosts.has(host)) {
    if (named === authority && known.size < mostKnown) known.add(named);
    return null;
  }
  const message = `host: got ${authority}, wanted localhost, 127.0.0.1 or [::1], because this port listens on loopback`;
  return new GatewayError('host_not_allowed', message, { field: 'host' });
}

/** The host and port a request is for, null for none. RFC 9112 section 3.2.2: where the target is a whole URL, its authority counts and not the Host header. */
export function authorityOf({ url = '/', headers }: IncomingMessage): string | null {
  const absolute = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(url);
  return absolute === null ? (headers.host ?? null) : (absolute[1] ?? '');
}
