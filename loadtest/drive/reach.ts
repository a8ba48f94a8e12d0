import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Clock } from '../../gateway/kernel/clock.ts';
import type { Target } from '../scenario/scenario.ts';
import type { Destination } from './connection.ts';

/** A target that takes no connection, and why. */
export class UnreachableTarget extends Error {
  constructor({ name, url }: Target, reason: string) {
    super(`${name}: ${url} cannot be reached: ${reason}`);
    this.name = 'UnreachableTarget';
  }
}

const withinMs = 3000;

/** Connects once, and tells where the target's name has led. Throws an `UnreachableTarget`. */
export function reach(target: Target, clock: Clock): Promise<Destination> {
  const { protocol, hostname, port } = new URL(target.url);
  const isTls = protocol === 'https:';
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const at = { host, port: Number(port) || (isTls ? 443 : 80) };
  // An address is no name that a certificate is asked for by.
  const tlsName = /^[\d.]+$|:/.test(host) ? '' : host;
  return new Promise((resolve, reject) => {
    const socket = isTls ? connectTls({ ...at, ...(tlsName === '' ? {} : { servername: tlsName }) }) : connect(at);
    const timer = clock.after(withinMs, () => socket.destroy(new Error(`no connection within ${withinMs} ms`)));
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      timer.cancel();
      resolve({ address: socket.remoteAddress ?? host, port: at.port, tlsName: isTls ? tlsName : null });
      socket.destroy();
    });
    socket.once('error', (error) => {
      timer.cancel();
      reject(new UnreachableTarget(target, reasonOf(error)));
    });
  });
}

/** A name with several addresses fails with an error for each. */
function reasonOf(error: Error): string {
  return error instanceof AggregateError ? error.errors.map(({ message }: Error) => message).join(', ') : error.message;
}
