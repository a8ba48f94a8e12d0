import type { Topic } from '../kernel/topic.ts';

/** What a replica's traffic says of it. Never called open or closed: half the field uses each word for its opposite. */
export type GateState = 'passing' | 'probing' | 'ejected';

/**
 * What one request says of its replica. `unreachable`: nothing could be sent. `timeout`: it was silent for as long as it might be.
 * `client_error`: it answered 4xx, which counts as an answer and is compared with its siblings'. `credential`: it takes ours for bad.
 * `unanswered`: whoever asked gave up after a while, which is compared with its siblings', too. `overtaken`: another replica, asked later,
 * answered first, which is held against a probe alone. `none`: nothing, since it declined, or nobody waited for it long enough.
 */
export type Evidence =
  | 'success'
  | 'client_error'
  | 'failure'
  | 'timeout'
  | 'unreachable'
  | 'credential'
  | 'unanswered'
  | 'overtaken'
  | 'none';

/** Why a replica was ejected. Under panic only outliers get requests nevertheless. */
export type EjectionCause = 'outlier' | 'client_errors' | 'unreachable' | 'credential' | 'operator';

/** Leave for one request to pass a gate; what comes of it is what the gate judges by. */
export interface Permit {
  settle(evidence: Evidence): void;
}

/** How a gate came to stand as it does, for people. Instants are of the clock's `nowMs`. */
export interface GateStory {
  readonly reason: string;
  readonly sinceMs: number;
  /** When an ejection ends; null where none does by itself. */
  readonly untilMs: number | null;
}

/** Decides by the outcomes of real requests whether a replica gets more of them. */
export interface Gate {
  readonly state: GateState;
  readonly cause: EjectionCause | null;
  readonly story: GateStory;
  /** Whether `enter` would let a request pass now. */
  readonly admits: boolean;
  /** Tells of every other state, and that another request may be let pass. */
  readonly changed: Topic<Gate>;
  /** Null when no request may pass now. A permit that was given must be settled. */
  enter(): Permit | null;
  /** An operator takes the replica out until it is readmitted. */
  eject(): void;
  /** Lets it begin anew, with nothing held against it. */
  readmit(reason: string): void;
}

/** For requests whose outcome a gate is not to judge by. */
export const freePermit: Permit = { settle: () => {} };
