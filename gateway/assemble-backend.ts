import { WaitingLine } from './admission/waiting-line.ts';
import { assembleReplica, type ReplicaParts } from './assemble-replica.ts';
import type { Backend } from './balance/backend.ts';
import { Dispatcher } from './balance/dispatcher.ts';
import { balancings } from './balance/registry.ts';
import type { Replica } from './balance/replica.ts';
import type { TimerWheel } from './kernel/timer-wheel.ts';
import type { BackendSettings } from './settings/settings.ts';

/** What backends are built from besides their settings. */
export interface BackendParts extends ReplicaParts {
  readonly wheel: TimerWheel;
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
  const members = settings.replicas.map((one) => assembleReplica(one, settings, parts));
  const replicas = members.map(({ replica }) => replica);
  const dispatcher = assembleDispatcher(replicas, settings, parts);
  const { name, protocol, models, timeouts, wantsReports } = settings;
  const streamTimeouts = { ...timeouts, totalMs: timeouts.streamTotalMs };
  return {
    backend: { name, protocol, models, replicas, dispatcher, timeouts, streamTimeouts, wantsReports },
    start: () => {
      for (const member of members) member.start();
    },
    close: async () => {
      await Promise.all(members.map((member) => member.close()));
    },
  };
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
