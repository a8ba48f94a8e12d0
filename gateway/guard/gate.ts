/** What a replica's traffic says of it. Never called open or closed: half the field uses each word for its opposite. */
export type GateState = 'passing' | 'probing' | 'ejected';

/** Leave for one request to pass a gate; its outcome is what the gate judges by. */
export interface Permit {
  settle(as: 'succeeded' | 'failed' | 'refused' | 'abandoned'): void;
}

/** Decides by the outcomes of real requests whether a replica gets more of them. */
export interface Gate {
  readonly state: GateState;
  /** Null when no request may pass now. A permit that was given must be settled. */
  enter(): Permit | null;
}

const freePermit: Permit = { settle: () => {} };

/** A gate that lets everything pass: a replica is then judged by its health checks alone. */
export const passingGate: Gate = { state: 'passing', enter: () => freePermit };
