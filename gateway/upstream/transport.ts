import type { TryTimeouts } from '../balance/backend.ts';
import type { Replica } from '../balance/replica.ts';
import type { Cancellation } from '../kernel/cancellation.ts';
import type { HeaderList } from '../pipeline/headers.ts';
import type { UpstreamRequest } from '../pipeline/protocol.ts';
import type { Reply } from '../pipeline/reply.ts';

/** A request as it goes on the wire. */
export interface WireRequest extends Pick<UpstreamRequest, 'method' | 'path' | 'body'> {
  readonly headers: HeaderList;
  /** Of the clock's `nowMs`; the timeouts of the try count from it. */
  readonly sentAtMs: number;
}

/** A replica's answer, what it says of its load taken out of the headers. */
export interface UpstreamReply extends Reply {
  /** The value of `endpoint-load-metrics`, or null. */
  readonly loadReport: string | null;
}

/** Where requests can be sent: a replica, or another port of one. */
export interface Reachable extends Pick<Replica, 'fullName' | 'address'> {
  /** What is reached: those that reach the same share it. */
  readonly state: object;
}

/** Carries requests to replicas. */
export interface Transport {
  /**
   * Resolves at the head of the answer, whatever its status. Rejects with `upstream_unreachable` when nothing was sent, `upstream_broken` or
   * `upstream_timeout` when something was, or the reason of the cancellation. Cancelling aborts the body, too.
   */
  send(
    replica: Reachable,
    request: WireRequest,
    timeouts: TryTimeouts,
    cancellation: Cancellation,
  ): Promise<UpstreamReply>;
  /** Says that a replica may be sent to until it is forgotten, and how long a connection to it may take. Those that share their state share their connections, too, where these are made alike. */
  hold(replica: Reachable, connectMs: number): void;
  /** Closes the connections of a replica that nobody else holds; running requests finish. */
  forget(replica: Reachable): Promise<void>;
  close(): Promise<void>;
}
