import { balancings } from './balance/registry.ts';
import { type Address, Replica } from './balance/replica.ts';
import { LocalWorker, type WorkerWatcher } from './elastic/actuators/local-worker.ts';
import { passingGate } from './guard/gate.ts';
import { Prober } from './guard/prober.ts';
import type { Clock } from './kernel/clock.ts';
import type { LoadBoard } from './kernel/load-board.ts';
import type { Rng } from './kernel/rng.ts';
import type { BackendSettings, ReplicaSettings } from './settings/settings.ts';
import type { Log } from './telemetry/log.ts';
import { checkHealth } from './upstream/health-check.ts';
import type { Transport } from './upstream/transport.ts';

/** What replicas are built from besides their settings. */
export interface ReplicaParts {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly board: LoadBoard;
  readonly transport: Transport;
  readonly log: Log;
  /** The path of a socket for one more bundled worker. */
  newSocketPath(): string;
  /** The program that runs a bundled worker, to which its options are added. */
  readonly workerCommand: readonly [string, ...string[]];
  readonly bundledModels: string;
}

/** A replica with what keeps its standing true. */
export interface LiveReplica {
  readonly replica: Replica;
  start(): void;
  close(): Promise<void>;
}

/** Builds a replica. Its standing follows its health checks, and for a bundled worker also what becomes of its process. */
export function assembleReplica(settings: ReplicaSettings, backend: BackendSettings, parts: ReplicaParts): LiveReplica {
  const { id, weight, slots, at } = settings;
  const socketPath = at.kind === 'url' ? at.socketPath : parts.newSocketPath();
  const replica = new Replica({
    id,
    backendName: backend.name,
    address: addressOf(settings, socketPath),
    weight,
    slots,
    signal: balancings[backend.policy].signal,
    slot: parts.board.takeSlot(),
    gate: passingGate,
  });
  logStanding(replica, parts.log);
  const prober = newProber(replica, backend, parts);
  if (at.kind === 'url' || socketPath === null)
    return { replica, start: () => prober.start(), close: async () => prober.close() };
  const { clock, log } = parts;
  const command = workerCommand(at, socketPath, parts);
  const worker = new LocalWorker({ command, socketPath, clock, watcher: watcherOf(replica, prober, log) });
  return {
    replica,
    start: () => worker.start(),
    close: () => {
      prober.close();
      return worker.stop();
    },
  };
}

function newProber(
  replica: Replica,
  { health, timeouts: { connectMs } }: BackendSettings,
  { clock, transport, rng }: ReplicaParts,
): Prober {
  return new Prober({
    check: () => checkHealth(replica, transport, { ...health, connectMs, clock }),
    tell: (isReady, reason) => replica.setStanding(isReady ? 'ready' : 'unready', reason),
    everyMs: health.everyMs,
    failuresToUnready: health.failuresToUnready,
    successesToReady: health.successesToReady,
    // Replicas that are checked all at the same moment would feel it.
    phaseShare: rng.next(),
    clock,
  });
}

const momentMs = 1_000;

function watcherOf(replica: Replica, prober: Prober, log: Log): WorkerWatcher {
  return {
    starting(pid) {
      log.info({ replica: replica.fullName, pid }, 'worker started');
      replica.setStanding('starting', `its process ${pid} loads the models`);
    },
    ready: () => prober.start(),
    exited(reason, restartInMs) {
      prober.stop();
      // For one that is back in a moment requests wait.
      const standing = restartInMs <= momentMs ? 'starting' : 'unready';
      replica.setStanding(standing, `its process ${reason}, the next one starts in ${restartInMs} ms`);
    },
  };
}

function addressOf({ at, headers, caPem, serverName }: ReplicaSettings, socketPath: string | null): Address {
  const { origin, basePath } = at.kind === 'url' ? at : { origin: 'http://localhost', basePath: '' };
  return { origin, basePath, socketPath, headers, tls: { caPem, serverName } };
}

function workerCommand(
  at: Extract<ReplicaSettings['at'], { kind: 'worker' }>,
  socketPath: string,
  { workerCommand: command, bundledModels }: ReplicaParts,
): [string, ...string[]] {
  const models = at.models.flatMap((model) => ['--model', model]);
  return [
    ...command,
    '--models',
    at.folder ?? bundledModels,
    ...models,
    '--socket',
    socketPath,
    '--threads',
    String(at.threads),
  ];
}

function logStanding(replica: Replica, log: Log): void {
  let last = replica.standing;
  replica.changed.subscribe(() => {
    if (replica.standing === last) return;
    last = replica.standing;
    const facts = { replica: replica.fullName, standing: replica.standing, reason: replica.reason };
    if (last === 'unready') log.warn(facts, 'replica');
    else log.info(facts, 'replica');
  });
}
