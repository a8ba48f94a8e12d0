import type { EjectionCause } from '../guard/gate.ts';
import type { Replica } from './replica.ts';

/**
 * Puts into `into` the replicas that could be handed a request right now, and into `full` those that only lack a credit. The arrays are the
 * caller's, emptied first, so that the hot path allocates none. Gives whether the slots of some of them are known, and those of others are not.
 */
export function collectEligible(
  replicas: readonly Replica[],
  notThese: readonly Replica[],
  into: Replica[],
  full: Replica[],
): boolean {
  into.length = full.length = 0;
  const areAllWanted = notThese.length === 0;
  let known = 0;
  for (const replica of replicas) {
    if (!replica.state.isAvailable && !mayProbe(replica)) continue;
    if (!areAllWanted && notThese.includes(replica)) continue;
    if (!replica.hasCredit) {
      full.push(replica);
      continue;
    }
    into.push(replica);
    if (replica.slots !== null) known += 1;
  }
  // With half of them left, nobody is drowned.
  if (into.length * 2 < replicas.length && isPanic(replicas)) {
    for (const replica of replicas) {
      if (!couldTake(replica) || !isOutlier(replica) || notThese.includes(replica)) continue;
      into.push(replica);
      if (replica.slots !== null) known += 1;
    }
  }
  return known > 0 && known < into.length;
}

/**
 * Tells replicas that the next prices are compared with those of others whose slots are known, or no longer. Among unknown ones alone each is taken
 * to work on one request at a time, which makes all of them dearer alike and cannot be wrong; beside known ones it would be.
 */
export function compareSlots(replicas: readonly Replica[], areMixed: boolean): void {
  for (const { state } of replicas) state.isBesideKnown = areMixed;
}

/** Whether waiting can help: some replica is busy or about to start, rather than all being unready, ejected, resting, draining or ruled out. */
export function isAnyInProspect(replicas: readonly Replica[], notThese: readonly Replica[]): boolean {
  for (const replica of replicas) {
    const { standing, gate, rest } = replica.state;
    if ((standing !== 'ready' && standing !== 'starting') || !rest.isOver || gate.state === 'ejected') continue;
    if (!notThese.includes(replica)) return true;
  }
  return isPanic(replicas) && replicas.some((one) => isWell(one) && isOutlier(one) && !notThese.includes(one));
}

/** Fewer than half of a backend are left, for whatever reason. */
function isPanic(replicas: readonly Replica[]): boolean {
  let available = 0;
  for (const { state } of replicas) if (state.isAvailable) available += 1;
  return available * 2 < replicas.length;
}

/** When the first of those that rest or are ejected comes back by itself, of the clock's `nowMs`; null where none does. */
export function soonestReturnMs(replicas: readonly Replica[]): number | null {
  let soonest = Number.POSITIVE_INFINITY;
  for (const { state } of replicas) {
    // One that is out with no end in sight is not back when its rest is over.
    if (state.standing !== 'ready' || (state.gate.state === 'ejected' && state.gate.story.untilMs === null)) continue;
    const untilMs = Math.max(state.rest.untilMs ?? 0, state.gate.story.untilMs ?? 0);
    if (untilMs > 0) soonest = Math.min(soonest, untilMs);
  }
  return soonest === Number.POSITIVE_INFINITY ? null : soonest;
}

function mayProbe(replica: Replica): boolean {
  return isWell(replica) && replica.gate.admits;
}

function couldTake(replica: Replica): boolean {
  return isWell(replica) && replica.hasCredit;
}

function isWell({ state }: Replica): boolean {
  return state.standing === 'ready' && state.rest.isOver;
}

/** Replicas that may do better than none: with fewer than half of a backend left, those that stay would be drowned. */
function isOutlier({ gate }: Replica): boolean {
  return gate.state === 'ejected' && gate.cause !== null && ignoredInPanic.includes(gate.cause);
}

const ignoredInPanic: readonly EjectionCause[] = ['outlier', 'client_errors'];
