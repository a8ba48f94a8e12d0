import type { WaitingLine } from './admission/waiting-line.ts';
import type { ReplicaParts } from './assemble-replica.ts';
import type { Backend } from './balance/backend.ts';
import { Dispatcher, type Waiter } from './balance/dispatcher.ts';
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

/** Builds a backend of its replicas. Its dispatcher must be closed. */
export function assembleBackend(
  { name, protocol, models, policy, queue, timeouts, wantsReports }: BackendSettings,
  replicas: readonly Replica[],
  line: WaitingLine<Waiter>,
  { clock, wheel, rng, log, secondReleases }: BackendParts,
): Backend {
  const dispatcher = new Dispatcher({
    backendName: name,
    replicas,
    policy: balancings[policy].newPolicy(rng),
    line,
    queue,
    clock,
    wheel,
    onSecondRelease(lease) {
      secondReleases.count += 1;
      log.error({ replica: lease.replica.fullName }, 'a lease was released twice');
    },
  });
  const { firstByteMs, idleMs, totalMs, streamTotalMs } = timeouts;
  return {
    name,
    protocol,
    models,
    replicas,
    dispatcher,
    timeouts: { firstByteMs, idleMs, totalMs },
    streamTimeouts: { firstByteMs, idleMs, totalMs: streamTotalMs },
    wantsReports,
  };
}
