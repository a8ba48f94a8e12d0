import type {
  Backend,
  BackendAffinity,
  Hedging,
  ModelName,
  Retrying,
  TryTimeouts,
} from '../../gateway/balance/backend.ts';
import { type Revisions, untold } from '../../gateway/balance/model-revisions.ts';
import type { Replica } from '../../gateway/balance/replica.ts';
import { Ewma } from '../../gateway/kernel/ewma.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { Dispatching } from './dispatching.ts';

const never = Number.POSITIVE_INFINITY;
const timeouts: TryTimeouts = { connectMs: never, firstByteMs: never, idleMs: never, totalMs: never };

/** What a test says of a backend. */
export interface BackendSpec {
  readonly models?: readonly ModelName[];
  readonly replicas?: readonly Replica[];
  /** Dispatches to the replicas; made here where none is given. */
  readonly dispatching?: Dispatching;
  readonly wantsReports?: boolean;
  readonly affinity?: BackendAffinity;
  readonly retrying?: Retrying;
  readonly hedging?: Hedging;
  readonly holdsFirstChunk?: boolean;
  readonly revisions?: Revisions;
}

/** A budget for as many extra tries as are wanted. */
export const anyBudget = { deposit: () => {}, withdraw: () => true };

/** Replicas that have not been used of late, and of which only what they have now counts. */
export function noneOfLate(): Ewma {
  return new Ewma({ memoryMs: 1000, clock: new VirtualClock() });
}

/** A backend called as the test says, of a model of that name and no replicas unless said otherwise. */
export function newBackend(name: string, spec: BackendSpec = {}): Backend {
  const { models = [{ name, upstream: null }], replicas = [], wantsReports = false } = spec;
  const { dispatching = new Dispatching(replicas) } = spec;
  const { dispatcher } = dispatching;
  return {
    name,
    protocol: 'open-inference',
    models,
    replicas,
    dispatcher,
    timeouts,
    streamTimeouts: timeouts,
    wantsReports,
    affinity: spec.affinity ?? null,
    retrying: spec.retrying ?? { maxTries: 2, isIdempotent: true, budget: anyBudget },
    hedging: spec.hedging ?? null,
    holdsFirstChunk: spec.holdsFirstChunk ?? false,
    revisions: spec.revisions ?? untold,
  };
}
