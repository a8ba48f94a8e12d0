import type { RequestListener, Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Registry } from 'prom-client';
import type { LiveGeneration } from './assemble-generation.ts';
import type { Backend } from './balance/backend.ts';
import type { Replica } from './balance/replica.ts';
import { type AdminActions, type AdminView, adminApp, ownHeaders, type ReplicaChange } from './http/admin.ts';
import { clientApp } from './http/app.ts';
import { ClientConnections } from './http/client-connections.ts';
import type { Connection } from './http/connection.ts';
import { EventStreams } from './http/event-streams.ts';
import { listen } from './http/server.ts';
import type { Clock } from './kernel/clock.ts';
import type { TimerWheel } from './kernel/timer-wheel.ts';
import type { RunningExchanges } from './pipeline/running.ts';
import { protocols } from './protocols/registry.ts';
import { isLoopback } from './settings/loopback.ts';
import { maskSecrets } from './settings/mask.ts';
import type { EventLog } from './telemetry/event-log.ts';
import type { Log } from './telemetry/log.ts';
import { version } from './version.ts';

interface Parts {
  readonly current: () => LiveGeneration;
  readonly running: RunningExchanges;
  readonly registry: Registry;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly log: Log;
  readonly reload: AdminActions['reload'];
  readonly purge: AdminActions['purge'];
}

/** The two listeners of a gateway. */
export interface Ports {
  readonly client: Server;
  readonly clientConnections: ClientConnections;
  readonly admin: Server;
  readonly eventStreams: EventStreams;
  /** The gateway takes no more work: it then says so to whoever asks whether it is ready. */
  isClosing: boolean;
}

/** Opens the clients' and the operators' port, the operators' first: a gateway that takes traffic can be watched. */
export async function openPorts(parts: Parts): Promise<Ports> {
  const { current, running, clock, wheel, log, events } = parts;
  const { settings } = current();
  const state = { isClosing: false };
  const eventStreams = new EventStreams({ follow: events.follow.bind(events), clock, headers: ownHeaders });
  const admin = await openAdmin(parts, state, eventStreams);
  const app = clientApp({
    serve: running.serve,
    current: () => current().generation,
    protocols: Object.values(protocols),
    directory: {
      routes: () => current().routes,
      isReady: (protocol) =>
        !state.isClosing &&
        backendsOf(parts).every(
          (one) => one.protocol !== protocol || hasReady(one) || !current().routes.answersBy(one),
        ),
      version,
      startedAtSeconds: Math.floor(clock.wallMs() / 1000),
    },
    isLoopback: isLoopback(settings.listen.host),
    clock,
    wheel,
    onFault: (error) => log.error(error, 'a reply could not be written'),
  });
  try {
    const client = await listen({ ...settings.listen, listener: nodeListener(app) });
    return Object.assign(state, {
      admin,
      eventStreams,
      client,
      clientConnections: new ClientConnections(client, clock),
    });
  } catch (error) {
    admin.close();
    throw error;
  }
}

function openAdmin(parts: Parts, state: { readonly isClosing: boolean }, streams: EventStreams): Promise<Server> {
  const { admin } = parts.current().settings;
  const at = wallTime(parts.clock);
  const app = adminApp({
    view: adminView(parts, state, at),
    actions: adminActions(parts, at),
    streamEvents: (connection) => streams.open(connection),
    token: admin.token,
    isLoopback: isLoopback(admin.host),
    onChange: (facts) => parts.log.info(facts, 'an operator asked for a change'),
    onFault: (error) => parts.log.error(error, 'an operator could not be answered'),
  });
  return listen({ ...admin, listener: nodeListener(app) });
}

/** Hono behind Node's server. The process keeps its own `Request` and `Response`, and what is left of a body is dealt with where the reply is written. */
function nodeListener(app: Hono<{ Bindings: Connection }>): RequestListener {
  return getRequestListener((request, env) => app.fetch(request, env), {
    overrideGlobalObjects: false,
    autoCleanupIncoming: false,
    // For requests without a Host, which HTTP/1.0 allows.
    hostname: 'localhost',
    errorHandler: refuseTarget,
  });
}

/** What is so malformed that it has no URL. */
function refuseTarget(error: unknown): Response {
  const what = error instanceof Error ? error.message.toLowerCase() : 'malformed request';
  return Response.json({ error: `host or request target: ${what}` }, { status: 400, headers: ownHeaders });
}

function hasReady(backend: Backend): boolean {
  return backend.replicas.some((replica) => replica.standing === 'ready');
}

function backendsOf({ current }: Parts): readonly Backend[] {
  return current().generation.backends;
}

function adminView(parts: Parts, state: { readonly isClosing: boolean }, at: WallTime): AdminView {
  const { current, registry } = parts;
  return {
    notReadyBecause: () => (state.isClosing ? 'the gateway shuts down' : null),
    metrics: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    backends: () => backendsOf(parts).map((backend) => showBackend(backend, at)),
    replicaNames: () => backendsOf(parts).flatMap(({ replicas }) => replicas.map(({ fullName }) => fullName)),
    config: () => maskSecrets(current().settings) as object,
  };
}

function adminActions(parts: Parts, at: WallTime): AdminActions {
  return {
    reload: parts.reload,
    purge: parts.purge,
    change(change, backendName, id) {
      const backend = backendsOf(parts).find(({ name }) => name === backendName);
      const replica = backend?.replicas.find((one) => one.id === id);
      if (replica === undefined) return null;
      changes[change](replica);
      return showReplica(replica, at);
    },
  };
}

const changes: Readonly<Record<ReplicaChange, (replica: Replica) => void>> = {
  drain: ({ state }) => state.drain(),
  undrain: ({ state }) => state.undrain(),
  eject: ({ gate }) => gate.eject(),
  readmit({ gate, state }) {
    gate.readmit('readmitted by an operator');
    state.rest.end();
  },
};

/** An instant of the clock's `nowMs` as people write time; null for none. */
type WallTime = (instantMs: number | null) => string | null;

/** The two clocks are compared once: their difference changes in every millisecond by less than one, and an instant must not. */
function wallTime(clock: Clock): WallTime {
  const originMs = clock.wallMs() - clock.nowMs();
  return (instantMs) => (instantMs === null ? null : new Date(originMs + instantMs).toISOString());
}

function showBackend({ name, protocol, models, replicas, dispatcher }: Backend, at: WallTime): object {
  const waiting = dispatcher.waitingCount;
  return { name, protocol, models, waiting, replicas: replicas.map((replica) => showReplica(replica, at)) };
}

/** What operators see of a replica: how it stands and how its gate does, why, since when and, where that ends by itself, until when. */
function showReplica(replica: Replica, at: WallTime): object {
  const { id, address, standing, reason, gate, slot, slots, configuredWeight: weight, report, state } = replica;
  return {
    id,
    url: address.socketPath === null ? address.origin + address.basePath : `unix:${address.socketPath}`,
    standing,
    reason,
    standingSince: at(state.standingSinceMs),
    gate: gate.state,
    gateCause: gate.cause,
    gateReason: gate.story.reason,
    gateSince: at(gate.story.sinceMs),
    gateUntil: at(gate.story.untilMs),
    lastFailure: state.lastFailure?.what ?? null,
    lastFailureAt: at(state.lastFailure?.atMs ?? null),
    restsUntil: at(state.rest.untilMs),
    slowStartUntil: at(state.slowStart.untilMs),
    inFlight: slot.inFlight,
    slots,
    slotsEstimated: slots === null && state.slotEstimate.isKnown ? Math.round(state.slotsEstimated) : null,
    weight,
    report,
    reportSource: state.reportSource,
    reportedAt: at(state.reportedAtMs),
    reportFaults: Object.fromEntries(state.reportFaults.counts),
  };
}
