import { Cancellation } from '../kernel/cancellation.ts';
import type { Clock } from '../kernel/clock.ts';
import { asGatewayError } from '../kernel/errors.ts';
import type { HeaderList } from '../pipeline/headers.ts';
import type { Reachable, Transport, UpstreamReply } from './transport.ts';

interface Question {
  readonly path: string;
  /** From asking to the last byte of the answer. */
  readonly timeoutMs: number;
  /** Sent besides the replica's own. */
  readonly headers?: HeaderList;
  readonly cancellation?: Cancellation;
  readonly clock: Clock;
}

/** Asks a replica for something that the gateway itself wants to know, over the connections that requests use. */
export function askReplica(replica: Reachable, transport: Transport, question: Question): Promise<UpstreamReply> {
  const { path, timeoutMs, headers = [], cancellation = new Cancellation(), clock } = question;
  const own = Object.entries(replica.address.headers).flat();
  return transport.send(
    replica,
    { method: 'GET', path, body: null, headers: [...headers, ...own], sentAtMs: clock.nowMs() },
    { connectMs: timeoutMs, firstByteMs: timeoutMs, idleMs: timeoutMs, totalMs: timeoutMs },
    cancellation,
  );
}

/** Why there was no answer, for people. */
export function whyNoAnswer(thrown: unknown): string {
  const error = asGatewayError(thrown);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
