import type { RequestListener, Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Registry } from 'prom-client';
import type { LiveGeneration } from './assemble-generation.ts';
import type { Backend } from './balance/backend.ts';
import type { Replica } from './balance/replica.ts';
import { type AdminActions, type AdminView, adminApp } from './http/admin.ts';
import { clientApp } from './http/app.ts';
import type { Connection } from './http/connection.ts';
import { listen } from './http/server.ts';
import type { Clock } from './kernel/clock.ts';
import type { TimerWheel } from './kernel/timer-wheel.ts';
import type { RunningExchanges } from './pipeline/running.ts';
import { protocols } from './protocols/registry.ts';
import { isLoopback } from './settings/loopback.ts';
import { maskSecrets } from './settings/mask.ts';
import type { Log } from './telemetry/log.ts';
import { version } from './version.ts';

interface Parts {
  readonly current: () => LiveGeneration;
  readonly running: RunningExchanges;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly log: Log;
  readonly reload: AdminActions['reload'];
}

/** The two listeners of a gateway. */
export interface Ports {
  readonly client: Server;
  readonly admin: Server;
  /** The gateway takes no more work: it then says so to whoever asks whether it is ready. */
  isClosing: boolean;
}

/** Opens the clients' and the operators' port, the operators' first: a gateway that takes traffic can be watched. */
export async function openPorts(parts: Parts): Promise<Ports> {
  const { current, running, clock, wheel, log } = parts;
  const { settings } = current();
  const state = { isClosing: false };
  const admin = await listen({
    ...settings.admin,
    listener: nodeListener(
      adminApp({
        view: adminView(parts, state),
        actions: adminActions(parts),
        token: settings.admin.token,
        isLoopback: isLoopback(settings.admin.host),
      }),
    ),
  });
  const app = clientApp({
    serve: running.serve,
    current: () => current().generation,
    protocols: Object.values(protocols),
    fallbackProtocol: protocols['open-inference'],
    directory: {
      modelNames: (protocol) => current().routes.modelNames(protocol),
      isReady: (protocol) =>
        !state.isClosing && backendsOf(parts).every((one) => one.protocol !== protocol || hasReady(one)),
      version,
    },
    isLoopback: isLoopback(settings.listen.host),
    clock,
    wheel,
    isClosing: () => state.isClosing,
    onFault: (error) => log.error(error, 'a reply could not be written'),
  });
  try {
    return Object.assign(state, { admin, client: await listen({ ...settings.listen, listener: nodeListener(app) }) });
  } catch (error) {
    admin.close();
    throw error;
  }
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
  return Response.json({ error: `host or request target: ${what}` }, { status: 400 });
}

function hasReady(backend: Backend): boolean {
  return backend.replicas.some((replica) => replica.standing === 'ready');
}

function backendsOf({ current }: Parts): readonly Backend[] {
  return current().generation.backends;
}

function adminView(parts: Parts, state: { readonly isClosing: boolean }): AdminView {
  const { current, registry } = parts;
  return {
    notReadyBecause: () => (state.isClosing ? 'the gateway shuts down' : null),
    metrics: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    backends: () => backendsOf(parts).map(showBackend),
    config: () => maskSecrets(current().settings) as object,
  };
}

function adminActions(parts: Parts): AdminActions {
  return {
    reload: parts.reload,
    setDrained(backendName, id, isDrained) {
      const backend = backendsOf(parts).find(({ name }) => name === backendName);
      const replica = backend?.replicas.find((one) => one.id === id);
      if (replica === undefined) return null;
      if (isDrained) replica.state.drain();
      else replica.state.undrain();
      return showReplica(replica);
    },
  };
}

function showBackend({ name, protocol, models, replicas, dispatcher }: Backend): object {
  return { name, protocol, models, waiting: dispatcher.waitingCount, replicas: replicas.map(showReplica) };
}

function showReplica({ id, address, standing, reason, gate, slot, slots, weight, report }: Replica): object {
  return {
    id,
    url: address.socketPath === null ? address.origin + address.basePath : `unix:${address.socketPath}`,
    standing,
    reason,
    gate: gate.state,
    inFlight: slot.inFlight,
    slots,
    weight,
    report,
  };
}
