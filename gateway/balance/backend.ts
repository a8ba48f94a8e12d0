import type { Ewma } from '../kernel/ewma.ts';
import type { ReadAffinity } from '../pipeline/protocol.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Revisions } from './model-revisions.ts';
import type { PrefixPlaces } from './prefix-places.ts';
import type { Replica } from './replica.ts';

/** How long each part of a try may take. Infinity where there is no limit. */
export interface TryTimeouts {
  /** From sending until a connection stands. */
  readonly connectMs: number;
  /** From sending until the first byte of the reply. */
  readonly firstByteMs: number;
  /** Between two pieces of the reply. */
  readonly idleMs: number;
  /** From sending until the last byte. */
  readonly totalMs: number;
}

/** A model name as clients say it, which may hold `*` for any characters, and as the replicas say it (null: the same). */
export interface ModelName {
  readonly name: string;
  readonly upstream: string | null;
}

/** How many tries beyond the first a backend may be burdened with. */
export interface Budget {
  /** A request has come. */
  deposit(): void;
  /** Whether one more try may be made, which then counts. */
  withdraw(): boolean;
}

/** What is done after a try that failed. */
export interface Retrying {
  /** The first included. */
  readonly maxTries: number;
  /** Whether what may have run may be run again. */
  readonly isIdempotent: boolean;
  readonly budget: Budget;
}

/** When a second try is made beside one that takes long. */
export interface Hedging {
  readonly budget: Budget;
  /** The share of their slots that the replicas have been using of late. */
  readonly utilisation: Ewma;
  /** How long a try is waited for; null while that is not known. */
  delayMs(): number | null;
  /** How long a try took until the head of its answer, or until it was given up. */
  observe(durationMs: number): void;
}

/** How requests are kept together. */
export interface BackendAffinity {
  readonly read: ReadAffinity;
  /** For the backend of that name after a reload: replicas keep their caches. */
  readonly places: PrefixPlaces;
}

/** A named pool of replicas that serve the same models. */
export interface Backend {
  readonly name: string;
  /** The wire format its replicas speak, by the name of the protocol. */
  readonly protocol: string;
  readonly models: readonly ModelName[];
  readonly replicas: readonly Replica[];
  readonly dispatcher: Dispatcher;
  /** Null where any replica is as good for a request as another. */
  readonly affinity: BackendAffinity | null;
  readonly timeouts: TryTimeouts;
  /** Those of tries whose answer shall be a stream. */
  readonly streamTimeouts: TryTimeouts;
  /** Whether load reports are asked for and read. */
  readonly wantsReports: boolean;
  readonly retrying: Retrying;
  /** Null where it is not hedged. */
  readonly hedging: Hedging | null;
  /** Whether an answer is passed on only when its first bytes have come, so that what breaks before can be tried again. */
  readonly holdsFirstChunk: boolean;
  readonly revisions: Revisions;
}
