import { createServer, type Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import { PortError } from '../kernel/port-error.ts';
import { systemClock } from '../kernel/system-clock.ts';
import { type LogOutput, openLog } from '../telemetry/log.ts';
import { workerMetrics } from '../telemetry/worker-metrics.ts';
import { version } from '../version.ts';
import { workerApp } from './app.ts';
import { Batcher } from './batcher.ts';
import { ThreadEngine } from './engine.ts';
import { loadModels } from './models.ts';

interface Options {
  readonly folder: string;
  /** The models to serve; empty for all in the folder. */
  readonly only: readonly string[];
  readonly threads: number;
  readonly at: { readonly host: string; readonly port: number } | { readonly path: string };
}

/** As Triton has it by default. */
const maxBodyBytes = 64 * 1024 * 1024;
const drainMs = 30_000;
const sweepMs = 20;

/** Node's own limits, tightened as the gateway's are; idle connections outlive the pool that the gateway keeps to a worker. */
const serverOptions = { headersTimeout: 10_000, connectionsCheckingInterval: 1_000, keepAliveTimeout: 65_000 };

/** Runs one bundled replica until it is told to stop: by SIGTERM, or by the end of the gateway that started it. */
export async function runWorker({ folder, only, threads, at }: Options): Promise<void> {
  const output = openLog({ level: 'info', destination: 2, name: 'worker' });
  const { log } = output;
  const engine = new ThreadEngine({
    threads,
    onEnd: (error) => {
      log.fatal({ reason: error.message }, 'the engine has ended, and the worker ends with it');
      void output.flush().finally(() => process.exit(1));
    },
  });
  const metrics = workerMetrics(() => batcher.queued);
  const batcher = new Batcher({ engine, onBatch: metrics.batch });
  const models = await loadModels(folder, only, engine);
  for (const { name, reason } of models.broken) log.error({ model: name, reason }, 'a model could not be loaded');
  const standing = { isDraining: false };
  const app = workerApp({
    models,
    batcher,
    standing,
    version,
    maxBodyBytes,
    metrics: async () => ({ contentType: metrics.registry.contentType, text: await metrics.registry.metrics() }),
  });
  const server = createAdaptorServer({ fetch: app.fetch, createServer, serverOptions }) as Server;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(new PortError('path' in at ? at.path : `${at.host}:${at.port}`, cause)));
    server.listen(at, resolve);
  });
  endWhenTold({ server, batcher, standing, output });
  log.info({ pid: process.pid, models: models.all.map((one) => one.key), at: server.address(), threads }, 'ready');
  process.send?.('ready');
}

interface Ending {
  readonly server: Server;
  readonly batcher: Batcher;
  readonly standing: { isDraining: boolean };
  readonly output: LogOutput;
}

/** Drains: takes no new connection, finishes what it has, and leaves. Told again, it leaves at once. */
function endWhenTold({ server, batcher, standing, output: { log, flush } }: Ending): void {
  const end = async (): Promise<void> => {
    if (standing.isDraining) process.exit(1);
    standing.isDraining = true;
    log.info({ running: batcher.inFlight }, 'draining');
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    const deadlineMs = systemClock.nowMs() + drainMs;
    let isClosed = false;
    void closed.then(() => {
      isClosed = true;
    });
    // Also what nobody waits for any more is computed to its end: a process that ends in the middle of a run is aborted.
    while (!(isClosed && batcher.inFlight === 0) && systemClock.nowMs() < deadlineMs) {
      server.closeIdleConnections();
      await systemClock.sleep(sweepMs);
    }
    await flush();
    process.exit(0);
  };
  process.on('SIGTERM', end);
  // A terminal sends SIGINT to the whole group; under a gateway it is the gateway that says when its workers end.
  process.on('SIGINT', () => {
    if (process.send === undefined) void end();
  });
  process.on('disconnect', end);
}
