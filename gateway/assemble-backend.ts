import { WaitingLine } from './admission/waiting-line.ts';
import type { Backend } from './balance/backend.ts';
import { Dispatcher } from './balance/dispatcher.ts';
import { balancings } from './balance/registry.ts';
import { type Address, Replica } from './balance/replica.ts';
import { LocalWorker } from './elastic/actuators/local-worker.ts';
import { passingGate } from './guard/gate.ts';
import { Prober } from './guard/prober.ts';
import type { Clock } from './kernel/clock.ts';
import type { LoadBoard } from './kernel/load-board.ts';
import type { Rng } from './kernel/rng.ts';
import type { TimerWheel } from './kernel/timer-wheel.ts';
import type { BackendSettings, ReplicaSettings } from './settings/settings.ts';
import type { Log } from './telemetry/log.ts';
import { checkHealth } from './upstream/health-check.ts';
import type { Transport } from './upstream/transport.ts';

/** What backends are built from besides their settings. */
export interface BackendParts {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly rng: Rng;
  readonly board: LoadBoard;
  readonly transport: Transport;
  readonly log: Log;
  /** The path of a socket for one more bundled worker. */
  newSocketPath(): string;
  /** The program that runs a bundled worker, to which its options are added. */
  readonly workerCommand: readonly [string, ...string[]];
  readonly bundledModels: string;
  /** Leases that were released twice: counted, since it must never happen. */
  readonly secondReleases: { count: number };
}

/** A backend with everything that keeps it going. */
export interface LiveBackend {
  readonly backend: Backend;
  start(): void;
  close(): Promise<void>;
}

/** Builds a backend: replicas, dispatcher, health checks, and the workers it starts itself. */
export function assembleBackend(settings: BackendSettings, parts: BackendParts): LiveBackend {
  const members = settings.replicas.map((one) =>
    keepGoing(assembleReplica(one, settings, parts), one, settings, parts),
  );
  const replicas = members.map(({ replica }) => replica);
  const dispatcher = assembleDispatcher(replicas, settings, parts);
  const { name, protocol, models, timeouts, wantsReports } = settings;
  return {
    backend: { name, protocol, models, replicas, dispatcher, timeouts, wantsReports },
    start: () => {
      for (const member of members) member.start();
    },
    close: async () => {
      await Promise.all(members.map((member) => member.close()));
    },
  };
}

function assembleReplica(settings: ReplicaSettings, backend: BackendSettings, parts: BackendParts): Replica {
  const { id, weight, slots } = settings;
  const replica = new Replica({
    id,
    backendName: backend.name,
    address: addressOf(settings, parts),
    weight,
    slots,
    signal: balancings[backend.policy].signal,
    slot: parts.board.takeSlot(),
    gate: passingGate,
  });
  logStanding(replica, parts.log);
  return replica;
}

function assembleDispatcher(
  replicas: readonly Replica[],
  { name, policy, queue }: BackendSettings,
  { clock, wheel, rng, log, secondReleases }: BackendParts,
): Dispatcher {
  return new Dispatcher({
    backendName: name,
    replicas,
    policy: balancings[policy].newPolicy(rng),
    line: new WaitingLine(queue.maxLength),
    queueWaitMs: queue.waitMs,
    clock,
    wheel,
    onSecondRelease(lease) {
      secondReleases.count += 1;
      log.error({ replica: lease.replica.fullName }, 'a lease was released twice');
    },
  });
}

interface Member {
  readonly replica: Replica;
  start(): void;
  close(): Promise<void>;
}

/** Keeps a replica's standing true: by health checks alone, or for a bundled worker also by what becomes of its process. */
function keepGoing(
  replica: Replica,
  settings: ReplicaSettings,
  { health, timeouts: { connectMs } }: BackendSettings,
  parts: BackendParts,
): Member {
  const { clock, transport, rng } = parts;
  const prober = new Prober({
    check: () => checkHealth(replica, transport, { ...health, connectMs, clock }),
    tell: (isReady, reason) => replica.setStanding(isReady ? 'ready' : 'unready', reason),
    everyMs: health.everyMs,
    failuresToUnready: health.failuresToUnready,
    successesToReady: health.successesToReady,
    // Replicas that are checked all at the same moment would feel it.
    phaseShare: rng.next(),
    clock,
  });
  const { socketPath } = replica.address;
  if (settings.at.kind === 'url' || socketPath === null)
    return { replica, start: () => prober.start(), close: async () => prober.close() };
  const worker = new LocalWorker({
    command: workerCommand(settings.at, socketPath, parts),
    socketPath,
    clock,
    watcher: {
      starting(pid) {
        parts.log.info({ replica: replica.fullName, pid }, 'worker started');
        replica.setStanding('starting', `its process ${pid} loads the models`);
      },
      ready: () => prober.start(),
      exited(reason, restartInMs) {
        prober.stop();
        replica.setStanding('unready', `its process ${reason}, the next one starts in ${restartInMs} ms`);
      },
    },
  });
  return {
    replica,
    start: () => worker.start(),
    close: () => {
      prober.close();
      return worker.stop();
    },
  };
}

function addressOf({ at, headers, caPem, serverName }: ReplicaSettings, parts: BackendParts): Address {
  const common = { headers, tls: { caPem, serverName } };
  if (at.kind === 'url') return { origin: at.origin, basePath: at.basePath, socketPath: at.socketPath, ...common };
  return { origin: 'http://localhost', basePath: '', socketPath: parts.newSocketPath(), ...common };
}

function workerCommand(
  at: Extract<ReplicaSettings['at'], { kind: 'worker' }>,
  socketPath: string,
  { workerCommand: command, bundledModels }: BackendParts,
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
