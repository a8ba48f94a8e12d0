import { isIPv6 } from 'node:net';

/** Host and port as a URL has them: an IPv6 address stands in brackets. */
export function authorityOf(host: string, port: number): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
