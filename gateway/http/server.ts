import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { PortError } from '../kernel/port-error.ts';

/** What a listener allows its clients. Node itself checks times only every 30 s, and by default lets a head take a minute. */
const limits = {
  headersTimeout: 10_000,
  requestTimeout: 300_000,
  connectionsCheckingInterval: 1_000,
  /** Above the 60 s after which common load balancers drop idle connections, so that they and not we begin to close. */
  keepAliveTimeout: 65_000,
  maxHeaderSize: 16 * 1024,
  /** Node would silently leave out the headers beyond 2000. */
  maxHeadersCount: 0,
  /** Node would take the first of two `host` or `authorization` lines and drop the other; joined they are neither, and refused as such. */
  joinDuplicateHeaders: true,
} as const;

/** The limits that take time, for tests that cannot wait so long. */
export type TimeLimits = Partial<
  Record<'headersTimeout' | 'requestTimeout' | 'connectionsCheckingInterval' | 'keepAliveTimeout', number>
>;

interface Options {
  readonly host: string;
  readonly port: number;
  /** Whether other processes may listen there, too; the system then shares the connections out. */
  readonly reusePort?: boolean;
  readonly listener: RequestListener;
  readonly timeLimits?: TimeLimits;
}

/** Listens; resolves when clients can connect. Refuses to become anything but an HTTP/1.1 server: no upgrades, no tunnels, no TRACE. */
export async function listen({ host, port, reusePort = false, listener, timeLimits }: Options): Promise<Server> {
  const options = { ...limits, ...timeLimits, shouldUpgradeCallback: wantsOtherProtocol };
  const serve: RequestListener = (incoming, outgoing) => {
    // Whoever follows the connections knows that there can be no answer.
    if (outgoing.destroyed) return;
    if (incoming.method === 'TRACE') outgoing.writeHead(405, { allow: 'GET, POST', 'content-length': 0 }).end();
    else listener(incoming, outgoing);
  };
  const server = createServer(options, serve);
  // Answers `100 Continue` only when the head has been judged and the body is about to be read.
  server.on('checkContinue', serve);
  server.on('upgrade', (_incoming: IncomingMessage, socket: Duplex) => refuseRaw(socket, '501 Not Implemented'));
  server.on('connect', (_incoming: IncomingMessage, socket: Duplex) => refuseRaw(socket, '405 Method Not Allowed'));
  await new Promise<void>((resolve, reject) => {
    // Stays: a failed accept (no file descriptors left) is told here, too, and must not end the process.
    server.on('error', (cause) => reject(new PortError(`${host}:${port}`, cause)));
    server.listen({ host, port, reusePort }, resolve);
  });
  return server;
}

/** The port a server really has, where 0 was asked for. */
export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** A client that merely offers HTTP/2 (as Java's does with every first request) is served as it is; RFC 9110 section 7.8 lets a server ignore the offer. */
function wantsOtherProtocol({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() !== 'h2c';
}

/** Node has let go of the socket: its errors, and its end, are ours to see to. */
function refuseRaw(socket: Duplex, status: string): void {
  socket.on('error', () => socket.destroy());
  socket.resume();
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`, () => socket.destroy());
}
