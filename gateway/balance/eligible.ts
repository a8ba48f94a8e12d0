import type { Replica } from './replica.ts';

/** Puts into `into` the replicas that could be handed a request right now. The array is the caller's, emptied first, so that the hot path allocates none. */
export function collectEligible(replicas: readonly Replica[], notThese: readonly Replica[], into: Replica[]): void {
  into.length = 0;
  for (const replica of replicas) {
    if (replica.standing !== 'ready' || replica.gate.state === 'ejected' || !replica.hasCredit) continue;
    if (notThese.length > 0 && notThese.includes(replica)) continue;
    into.push(replica);
  }
}

/** Whether waiting can help: some replica is busy or about to start, rather than all being unready, ejected, draining or ruled out. */
export function isAnyInProspect(replicas: readonly Replica[], notThese: readonly Replica[]): boolean {
  for (const replica of replicas) {
    if (replica.standing !== 'ready' && replica.standing !== 'starting') continue;
    if (replica.gate.state !== 'ejected' && !notThese.includes(replica)) return true;
  }
  return false;
}
