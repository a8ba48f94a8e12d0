import type { Patience } from './patience.ts';
import type { Replica } from './replica.ts';
import type { Work } from './work.ts';

/** A list that cannot be empty: a policy is never asked to pick from nothing. */
export type NonEmpty<T> = readonly [T, ...T[]];

/** What a pick went by before the policy: where others of the same kind went, or what is near. */
export type Preference = 'affinity' | 'zone';

/** Decides which of the eligible replicas gets the work. Synchronous, never fails, never sees health; it must not keep the list, which is reused. */
export interface Policy {
  readonly name: string;
  /** `nowMs` is the instant of the pick, of the clock's `nowMs`. */
  pick(eligible: NonEmpty<Replica>, work: Work, nowMs: number): Replica;
  /** Whether work that has waited so long had better wait for one of those that have no credit left than be picked for now. Absent where nothing waits for what is not free. */
  waitFor?(full: readonly Replica[], eligible: NonEmpty<Replica>, work: Work, at: Waiting): Patience | null;
  /** What the last pick went by, for people; null where all that were eligible were compared. */
  readonly preference?: Preference | null;
}

/** When it is asked for, of the clock's `nowMs`, and how long it has been waited until then. */
export interface Waiting {
  readonly nowMs: number;
  readonly waitedMs: number;
}

/** What a policy compares: the meter's price, divided by the replica's weight, so that a replica of weight 2 carries twice as much. */
export function priceOf(replica: Replica, work: Work, nowMs: number): number {
  return replica.meter.costOf(work, nowMs) / replica.weight;
}

/** The least that any of them asks. */
export function lowestPrice(replicas: NonEmpty<Replica>, work: Work, nowMs: number): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (const replica of replicas) lowest = Math.min(lowest, priceOf(replica, work, nowMs));
  return lowest;
}

/** Whether a list can be picked from. */
export function isNonEmpty<T>(list: readonly T[]): list is NonEmpty<T> {
  return list.length > 0;
}
