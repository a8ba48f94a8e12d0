import { isIP, type LookupFunction } from 'node:net';
import { buildConnector, type Dispatcher, Pool } from 'undici';
import type { TryTimeouts } from '../balance/backend.ts';
import type { Replica } from '../balance/replica.ts';
import type { Cancellation } from '../kernel/cancellation.ts';
import type { Clock } from '../kernel/clock.ts';
import type { TimerWheel } from '../kernel/timer-wheel.ts';
import type { Transport, UpstreamReply, WireRequest } from './transport.ts';
import { UpstreamCall } from './upstream-call.ts';

/** A host name is looked up again at the latest when its connections are this old, so that replicas behind it can move. */
const connectionLifeMs = 60_000;

/** Below the 5 s after which common servers (uvicorn, Node) close idle connections without a word. */
const keepAliveMs = 4_000;

/** The connections to one replica. */
export type Connections = Pick<Dispatcher, 'dispatch' | 'close' | 'destroy'>;

interface Options {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  /** Opens the connections to a replica when it is first sent to. */
  readonly connect?: (replica: Replica, connectMs: number) => Connections;
}

/** Carries requests over HTTP/1.1, one pool of connections a replica, one request at a time on each connection. */
export class UndiciTransport implements Transport {
  readonly #clock: Clock;
  readonly #wheel: TimerWheel;
  readonly #connect: (replica: Replica, connectMs: number) => Connections;
  readonly #connections = new Map<Replica, Connections>();

  constructor({ clock, wheel, connect = openPool }: Options) {
    this.#clock = clock;
    this.#wheel = wheel;
    this.#connect = connect;
  }

  send(
    replica: Replica,
    request: WireRequest,
    timeouts: TryTimeouts,
    cancellation: Cancellation,
  ): Promise<UpstreamReply> {
    return new Promise((onHead, onFailure) => {
      const { method, headers, body, sentAtMs } = request;
      const call = new UpstreamCall({
        replicaName: replica.fullName,
        timeouts,
        sentAtMs,
        cancellation,
        clock: this.#clock,
        wheel: this.#wheel,
        onHead,
        onFailure,
      });
      this.#to(replica, timeouts).dispatch(
        { path: replica.address.basePath + request.path, method, headers, body },
        call,
      );
    });
  }

  async forget(replica: Replica): Promise<void> {
    const connections = this.#connections.get(replica);
    this.#connections.delete(replica);
    await connections?.close();
  }

  async close(): Promise<void> {
    const all = [...this.#connections.values()];
    this.#connections.clear();
    await Promise.all(all.map((one) => one.destroy()));
  }

  #to(replica: Replica, { connectMs }: TryTimeouts): Connections {
    const known = this.#connections.get(replica);
    if (known !== undefined) return known;
    const connections = this.#connect(replica, connectMs);
    this.#connections.set(replica, connections);
    return connections;
  }
}

/** What may be set for a pool besides what its replica says. */
interface PoolOptions {
  /** As `lookup` of `net.connect`; replaces the system's name resolution. */
  readonly lookup?: LookupFunction;
  readonly connectionLifeMs?: number;
}

/** A pool of real connections to a replica. */
export function openPool({ address }: Replica, connectMs: number, options: PoolOptions = {}): Pool {
  const { origin, socketPath, tls } = address;
  const isNamed = socketPath === null && isIP(new URL(origin).hostname.replace(/^\[|\]$/g, '')) === 0;
  return new Pool(origin, {
    pipelining: 1,
    keepAliveTimeout: keepAliveMs,
    // The timer wheel keeps all time limits; undici's own would only add timers.
    headersTimeout: 0,
    bodyTimeout: 0,
    ...(isNamed ? { clientTtl: options.connectionLifeMs ?? connectionLifeMs } : {}),
    connect: connectorOf({
      allowH2: false,
      timeout: connectMs,
      ...(socketPath === null ? {} : { socketPath }),
      ...(tls.caPem === null ? {} : { ca: tls.caPem }),
      ...(tls.serverName === null ? {} : { servername: tls.serverName }),
      ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
    }),
  });
}

/** undici takes a reset for the good end of a body that lasts until its connection ends; by another code it is an error like any other. */
function connectorOf(options: buildConnector.BuildOptions): buildConnector.connector {
  const connect = buildConnector(options);
  return (to, connected) =>
    connect(to, (error, socket) => {
      if (error !== null) return connected(error, null);
      socket.on('error', (broken: NodeJS.ErrnoException) => {
        if (broken.code === 'ECONNRESET') broken.code = 'RESET_BY_REPLICA';
      });
      connected(null, socket);
    });
}
