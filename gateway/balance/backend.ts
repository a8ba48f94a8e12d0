import type { Dispatcher } from './dispatcher.ts';
import type { Replica } from './replica.ts';

/** How long each part of a try may take. Infinity where there is no limit. */
export interface TryTimeouts {
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

/** A named pool of replicas that serve the same models. */
export interface Backend {
  readonly name: string;
  /** The wire format its replicas speak, by the name of the protocol. */
  readonly protocol: string;
  readonly models: readonly ModelName[];
  readonly replicas: readonly Replica[];
  readonly dispatcher: Dispatcher;
  readonly timeouts: TryTimeouts;
  /** Those of tries whose answer shall be a stream. */
  readonly streamTimeouts: TryTimeouts;
  /** Whether load reports are asked for and read. */
  readonly wantsReports: boolean;
}
