import { isIP, type LookupFunction } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { buildConnector, type Dispatcher, Pool } from 'undici';
import type { TryTimeouts } from '../balance/backend.ts';
import type { Cancellation } from '../kernel/cancellation.ts';
import type { Clock } from '../kernel/clock.ts';
import type { TimerWheel } from '../kernel/timer-wheel.ts';
import type { Reachable, Transport, UpstreamReply, WireRequest } from './transport.ts';
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
  readonly connect?: (replica: Reachable, connectMs: number) => Connections;
}

/** Connections to one process, made in one way. */
interface Link {
  readonly state: object;
  readonly connectMs: number;
  readonly tls: Reachable['address']['tls'];
  /** The replicas that are sent to over it. */
  holders: number;
  /** Null before they were needed. */
  connections: Connections | null;
}

/** Carries requests over HTTP/1.1, one pool of connections a process, one request at a time on each connection. */
export class UndiciTransport implements Transport {
  readonly #clock: Clock;
  readonly #wheel: TimerWheel;
  readonly #connect: (replica: Reachable, connectMs: number) => Connections;
  readonly #links = new Map<Reachable, Link>();
  /** The last one for each process: what a replica shares when it can. */
  readonly #latest = new Map<object, Link>();
  /** Forgotten ones in which requests still run. */
  readonly #ending = new Set<Connections>();

  constructor({ clock, wheel, connect = openPool }: Options) {
    this.#clock = clock;
    this.#wheel = wheel;
    this.#connect = connect;
  }

  send(
    replica: Reachable,
    request: WireRequest,
    timeouts: TryTimeouts,
    cancellation: Cancellation,
  ): Promise<UpstreamReply> {
    return new Promise((onHead, onFailure) => {
      const connections = this.#to(replica);
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
        uploadBytes: body?.length ?? 0,
      });
      connections.dispatch({ path: replica.address.basePath + request.path, method, headers, body }, call);
    });
  }

  hold(replica: Reachable, connectMs: number): void {
    const { state, address } = replica;
    const latest = this.#latest.get(state);
    const isAlike = latest?.connectMs === connectMs && isDeepStrictEqual(latest.tls, address.tls);
    const link = isAlike ? latest : { state, connectMs, tls: address.tls, holders: 0, connections: null };
    link.holders += 1;
    this.#latest.set(state, link);
    this.#links.set(replica, link);
  }

  async forget(replica: Reachable): Promise<void> {
    const link = this.#links.get(replica);
    if (link === undefined) return;
    this.#links.delete(replica);
    link.holders -= 1;
    if (link.holders > 0) return;
    if (this.#latest.get(link.state) === link) this.#latest.delete(link.state);
    if (link.connections === null) return;
    this.#ending.add(link.connections);
    try {
      await link.connections.close();
    } finally {
      this.#ending.delete(link.connections);
    }
  }

  async close(): Promise<void> {
    const links = new Set(this.#links.values());
    this.#links.clear();
    this.#latest.clear();
    await Promise.all([...this.#ending, ...[...links].map((one) => one.connections)].map((one) => one?.destroy()));
  }

  #to(replica: Reachable): Connections {
    const link = this.#links.get(replica);
    if (link === undefined) throw new Error(`${replica.fullName} is sent to and nobody holds it`);
    link.connections ??= this.#connect(replica, link.connectMs);
    return link.connections;
  }
}

/** What may be set for a pool besides what its replica says. */
interface PoolOptions {
  /** As `lookup` of `net.connect`; replaces the system's name resolution. */
  readonly lookup?: LookupFunction;
  readonly connectionLifeMs?: number;
}

/** A pool of real connections to a replica. */
export function openPool({ address }: Reachable, connectMs: number, options: PoolOptions = {}): Pool {
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
