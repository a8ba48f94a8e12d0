import type { Server } from 'node:http';
import { extname, join } from 'node:path';
import { assembleBackend, type BackendParts, type LiveBackend } from './assemble-backend.ts';
import { openPorts, type Ports } from './assemble-ports.ts';
import { assembleRoutes } from './assemble-routes.ts';
import type { Backend } from './balance/backend.ts';
import { SocketFolder } from './elastic/actuators/socket-folder.ts';
import { portOf } from './http/server.ts';
import type { Clock } from './kernel/clock.ts';
import { GatewayError } from './kernel/errors.ts';
import { LoadBoard } from './kernel/load-board.ts';
import { systemRng } from './kernel/rng.ts';
import { systemClock } from './kernel/system-clock.ts';
import { TimerWheel } from './kernel/timer-wheel.ts';
import { Topic } from './kernel/topic.ts';
import type { Exchange } from './pipeline/exchange.ts';
import { RunningExchanges } from './pipeline/running.ts';
import type { TryFact } from './pipeline/try-fact.ts';
import { requestPath, routePath } from './request-path.ts';
import type { Settings } from './settings/settings.ts';
import { type LogOutput, logExchanges } from './telemetry/log.ts';
import { gatewayMetrics } from './telemetry/metrics.ts';
import type { Transport } from './upstream/transport.ts';
import { UndiciTransport } from './upstream/undici-transport.ts';

/** A running gateway. */
export interface Gateway {
  readonly clientPort: number;
  readonly adminPort: number;
  readonly backends: readonly Backend[];
  /** Resolves when every replica has shown whether it is ready, or after `timeoutMs`. */
  settle(timeoutMs: number): Promise<void>;
  /** Takes no more connections, lets running work finish within `drainMs`, then ends everything that runs. */
  close(drainMs: number): Promise<void>;
}

/** Turns settings into live objects. With its `assemble-` siblings and commands/ the only place that knows every folder. */
export async function assemble(settings: Settings, { log, line }: Pick<LogOutput, 'log' | 'line'>): Promise<Gateway> {
  const clock = systemClock;
  const wheel = new TimerWheel(clock);
  const rng = systemRng();
  const transport = new UndiciTransport({ clock, wheel });
  const sockets = new SocketFolder();
  const settled = new Topic<Exchange>();
  const tried = new Topic<TryFact>();
  const secondReleases = { count: 0 };
  const parts = { clock, wheel, rng, transport, log, secondReleases, newSocketPath: sockets.newPath };
  const live = assembleBackends(settings, parts);
  const backends = live.map(({ backend }) => backend);
  const routes = assembleRoutes(settings, backends, routePath({ transport, clock, tried }));
  const serve = requestPath({ settled, limits: settings.listen, routes: () => routes, clock, rng });
  const running = new RunningExchanges(serve, settled);
  const registry = gatewayMetrics({ backends: () => backends, settled, tried, secondReleases });
  logExchanges({ line }, settled);
  const reload = async () => ({ kind: 'refused', faults: ['a reload is not available yet'] }) as const;
  const listening = openPorts({ settings, backends, routes, running, registry, clock, wheel, log, reload });
  const ports = await listening.catch((error) => {
    sockets.remove();
    throw error;
  });
  for (const { start } of live) start();
  return {
    clientPort: portOf(ports.client),
    adminPort: portOf(ports.admin),
    backends,
    settle: (timeoutMs) => allSettled(backends, clock, timeoutMs),
    async close(drainMs) {
      ports.isClosing = true;
      await drain(ports.client, running, clock, drainMs);
      await closeAll(live, transport, ports);
      wheel.close();
      sockets.remove();
    },
  };
}

/** `.js` where this was compiled. */
const sourceExtension = extname(import.meta.filename);

const workerProgram = {
  workerCommand: [process.execPath, join(import.meta.dirname, `main${sourceExtension}`), 'worker'] as const,
  bundledModels: join(import.meta.dirname, 'worker', 'models'),
};

function assembleBackends(
  { backends }: Settings,
  parts: Omit<BackendParts, 'board' | keyof typeof workerProgram>,
): LiveBackend[] {
  const all = { ...parts, ...workerProgram, board: new LoadBoard() };
  return backends.map((one) => assembleBackend(one, all));
}

/** How often connections that have become idle are closed while the gateway waits for the others. */
const sweepMs = 50;

async function drain(server: Server, running: RunningExchanges, clock: Clock, drainMs: number): Promise<void> {
  server.close();
  const deadlineMs = clock.nowMs() + drainMs;
  while (running.count > 0 && clock.nowMs() < deadlineMs) {
    await Promise.race([running.none(), clock.sleep(Math.min(sweepMs, deadlineMs - clock.nowMs()))]);
    server.closeIdleConnections();
  }
  if (running.count === 0) return;
  running.cut(new GatewayError('shutting_down', 'the gateway shuts down and waits no longer (listen.drain)'));
  // Their answers are on the way to the clients.
  await clock.sleep(sweepMs);
}

async function closeAll(live: readonly LiveBackend[], transport: Transport, { client, admin }: Ports): Promise<void> {
  client.closeAllConnections();
  await Promise.all(live.map((one) => one.close()));
  await transport.close();
  admin.close();
  admin.closeAllConnections();
}

async function allSettled(backends: readonly Backend[], clock: Clock, timeoutMs: number): Promise<void> {
  const deadlineMs = clock.nowMs() + timeoutMs;
  const isUndecided = (): boolean =>
    backends.some((backend) => backend.replicas.some((replica) => replica.standing === 'starting'));
  while (isUndecided() && clock.nowMs() < deadlineMs) await clock.sleep(10);
}
