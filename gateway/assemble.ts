import { extname, join } from 'node:path';
import type { LiveGeneration } from './assemble-generation.ts';
import type { Generations } from './assemble-generations.ts';
import { type AssembledPath, assemblePath } from './assemble-path.ts';
import { openPorts, type Ports } from './assemble-ports.ts';
import { Reloader } from './assemble-reloader.ts';
import type { Backend } from './balance/backend.ts';
import { SocketFolder } from './elastic/actuators/socket-folder.ts';
import type { ReloadResult } from './http/admin.ts';
import type { ClosingTimes } from './http/client-connections.ts';
import { portOf } from './http/server.ts';
import type { Clock } from './kernel/clock.ts';
import { GatewayError } from './kernel/errors.ts';
import { systemRng } from './kernel/rng.ts';
import { systemClock } from './kernel/system-clock.ts';
import { TimerWheel } from './kernel/timer-wheel.ts';
import { withoutRestart } from './settings/boot-keys.ts';
import type { Settings } from './settings/settings.ts';
import { type Log, type LogOutput, logExchanges } from './telemetry/log.ts';
import { gatewayMetrics } from './telemetry/metrics.ts';
import type { Transport } from './upstream/transport.ts';
import { UndiciTransport } from './upstream/undici-transport.ts';

/** A running gateway. */
export interface Gateway {
  readonly clientPort: number;
  readonly adminPort: number;
  /** As the configuration in force has them. */
  backends(): readonly Backend[];
  /** Resolves when every replica has shown whether it is ready, or after `timeoutMs`. */
  settle(timeoutMs: number): Promise<void>;
  /** Reads the configuration again. What is refused changes nothing. */
  reload(): Promise<ReloadResult>;
  /** Is no longer ready, lets running work finish, then ends everything that runs. */
  close(times: ClosingTimes): Promise<void>;
}

interface Options {
  readonly settings: Settings;
  /** Reads the settings again. Throws a `ConfigError` where they cannot be used. */
  load(): Settings;
  readonly output: Pick<LogOutput, 'log' | 'line'>;
}

/** Turns settings into live objects. With its `assemble-` siblings and commands/ the only place that knows every folder. */
export async function assemble({ settings, load, output: { log, line } }: Options): Promise<Gateway> {
  const clock = systemClock;
  const wheel = new TimerWheel(clock);
  const rng = systemRng();
  const transport = new UndiciTransport({ clock, wheel });
  const sockets = new SocketFolder();
  const surroundings = { clock, wheel, rng, transport, log, newSocketPath: sockets.newPath, ...workerProgram };
  const path = assemblePath(settings, surroundings);
  const { generations, running, events } = path;
  const reloads = new Reloader({ load, apply: (wanted) => apply(wanted, generations, log), log });
  const { reload } = reloads;
  const current = (): LiveGeneration => generations.current;
  const backends = (): readonly Backend[] => current().generation.backends;
  const registry = gatewayMetrics({ ...path, backends, reloads });
  logExchanges({ line }, path.settled);
  const { purge } = path.cache;
  const parts = { current, running, registry, events, clock, wheel, log, reload, purge };
  const ports = await openPorts(parts).catch(async (error) => {
    await path.cache.close();
    sockets.remove();
    throw error;
  });
  generations.start();
  return {
    clientPort: portOf(ports.client),
    adminPort: portOf(ports.admin),
    backends,
    settle: (timeoutMs) => generations.settle(timeoutMs),
    reload,
    async close(times) {
      ports.isClosing = true;
      await ports.clientConnections.close(times);
      await cutShort(path, clock);
      await closeAll(path, transport, ports);
      wheel.close();
      sockets.remove();
    },
  };
}

/** Puts other settings in force, as far as they can be had without a restart; gives the keys that cannot. */
async function apply(wanted: Settings, generations: Generations, log: Log): Promise<readonly string[]> {
  const { settings, needsRestart } = withoutRestart(wanted, generations.current.settings);
  await generations.replace(settings);
  log.level = settings.telemetry.logLevel;
  return needsRestart;
}

/** `.js` where this was compiled. */
const sourceExtension = extname(import.meta.filename);

const workerProgram = {
  workerCommand: [process.execPath, join(import.meta.dirname, `main${sourceExtension}`), 'worker'] as const,
  bundledModels: join(import.meta.dirname, 'worker', 'models'),
};

/** How long the answers to those whose work was cut short are given to reach them. */
const farewellMs = 50;

async function cutShort({ running, cache }: AssembledPath, clock: Clock): Promise<void> {
  const error = new GatewayError('shutting_down', 'the gateway shuts down and waits no longer (listen.drain)');
  cache.cut(error);
  if (running.count === 0) return;
  running.cut(error);
  await clock.sleep(farewellMs);
}

async function closeAll(
  { generations, cache }: AssembledPath,
  transport: Transport,
  { client, admin, eventStreams }: Ports,
): Promise<void> {
  client.close();
  client.closeAllConnections();
  await generations.close();
  await cache.close();
  await transport.close();
  eventStreams.close();
  admin.close();
  admin.closeAllConnections();
}
