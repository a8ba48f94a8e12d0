import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { authorityOf } from './host-check.ts';

/** Compares digests, so that the time it takes tells neither the length nor the beginning of the token. */
export function hasToken({ headers }: IncomingMessage, token: string): boolean {
  const given = /^bearer (.+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/**
 * What keeps a request from changing anything, null for nothing. A page of another origin can send a browser's POST here, but no header
 * of its own unless it is allowed to, which it never is; a token serves as well, for no page knows it. What a browser says of the page's
 * origin is looked at besides. Nothing of the request is repeated: it may be a secret in the wrong place.
 */
export function refuseChange(incoming: IncomingMessage, isTokenShown: boolean): string | null {
  const { origin, 'x-headgate-admin': mark } = incoming.headers;
  if (origin !== undefined && !isOwnOrigin(origin, authorityOf(incoming)))
    return 'origin: wanted none, or that of this port: no other page may change anything';
  if (!isTokenShown && mark !== '1') return 'x-headgate-admin: wanted 1, without which nothing is changed';
  return null;
}

/** The scheme is left out: whoever put TLS in front of this port is still the same origin to the browser. */
function isOwnOrigin(origin: string, authority: string | null): boolean {
  const page = /^(https?:)\/\/([^/?#@]+)$/i.exec(origin);
  if (page === null || authority === null) return false;
  const [, scheme = '', host = ''] = page;
  return withoutDefaultPort(scheme, host) === withoutDefaultPort(scheme, authority);
}

function withoutDefaultPort(scheme: string, authority: string): string {
  return authority.toLowerCase().replace(scheme.toLowerCase() === 'https:' ? /:443$/ : /:80$/, '');
}
