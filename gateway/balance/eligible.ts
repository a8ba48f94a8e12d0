import type { EjectionCause } from '../guard/gate.ts';
import type { Replica } from './replica.ts';

const nobody: readonly Replica[] = [];

/** Who of a backend can be handed a request right now. Its lists are used again for each request, so that the hot path allocates none. */
export class Eligible {
  /** All of them; valid until the next look. */
  list: readonly Replica[] = nobody;
  /** Those that only lack a credit. */
  readonly full: Replica[] = [];
  /** The slots of some on the list are known, and those of others are not. */
  areMixed = false;
  readonly #some: Replica[] = [];

  look(replicas: readonly Replica[], notThese: readonly Replica[]): void {
    this.full.length = 0;
    // Mostly it is all of them, and no list has to be made.
    let known = notThese.length === 0 ? countKnownIfFree(replicas) : -1;
    this.list = known >= 0 ? replicas : this.#collect(replicas, notThese);
    if (known < 0) {
      known = 0;
      for (const replica of this.list) if (replica.knowsSlots) known += 1;
    }
    this.areMixed = known > 0 && known < this.list.length;
  }

  /** Takes one off the list. */
  remove(replica: Replica): void {
    if (this.list !== this.#some) this.#some.splice(0, Number.POSITIVE_INFINITY, ...this.list);
    this.#some.splice(this.#some.indexOf(replica), 1);
    this.list = this.#some;
  }

  #collect(replicas: readonly Replica[], notThese: readonly Replica[]): readonly Replica[] {
    const into = this.#some;
    into.length = 0;
    for (const replica of replicas) {
      if ((!replica.state.isAvailable && !mayProbe(replica)) || notThese.includes(replica)) continue;
      if (replica.hasCredit) into.push(replica);
      else this.full.push(replica);
    }
    // With half of them left, nobody is drowned.
    if (into.length * 2 < replicas.length && isPanic(replicas)) {
      for (const replica of replicas)
        if (couldTake(replica) && isOutlier(replica) && !notThese.includes(replica)) into.push(replica);
    }
    return into;
  }
}

/** Of how many the slots are known, where all are free; else -1. */
function countKnownIfFree(replicas: readonly Replica[]): number {
  let known = 0;
  for (const replica of replicas) {
    if (!replica.state.isAvailable || !replica.hasCredit) return -1;
    if (replica.knowsSlots) known += 1;
  }
  return known;
}

/**
 * Tells replicas that the next prices are compared with those of others whose slots are known, or no longer. Among unknown ones alone each is taken
 * to work on one request at a time, which makes all of them dearer alike and cannot be wrong; beside known ones it would be.
 */
export function compareSlots(replicas: readonly Replica[], areMixed: boolean): void {
  if (replicas[0]?.state.isBesideKnown === areMixed) return;
  for (const { state, meter } of replicas) {
    state.isBesideKnown = areMixed;
    meter.reprice?.();
  }
}

/** Those who join others are compared as they are. */
export function compareAlike(replicas: readonly Replica[]): void {
  const isBesideKnown = replicas[0]?.state.isBesideKnown ?? false;
  for (const { state } of replicas) state.isBesideKnown = isBesideKnown;
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
