import type { Replica } from '../balance/replica.ts';
import { Cancellation } from '../kernel/cancellation.ts';
import type { Clock } from '../kernel/clock.ts';
import { asGatewayError } from '../kernel/errors.ts';
import type { Body, BodyEnd } from '../pipeline/reply.ts';
import type { Transport } from './transport.ts';

interface Options {
  readonly path: string;
  readonly timeoutMs: number;
  /** The backend's: whichever of checks and requests comes first opens the connections for both. */
  readonly connectMs: number;
  readonly clock: Clock;
}

/** Asks a replica for its health over the connections that requests use. Null when it is well, else what is wrong. Judged by status alone: servers disagree about the body. */
export async function checkHealth(
  replica: Replica,
  transport: Transport,
  { path, timeoutMs, connectMs, clock }: Options,
): Promise<string | null> {
  const timeouts = { connectMs, firstByteMs: timeoutMs, idleMs: timeoutMs, totalMs: timeoutMs };
  const headers = Object.entries(replica.address.headers).flat();
  try {
    const reply = await transport.send(
      replica,
      { method: 'GET', path, body: null, headers, sentAtMs: clock.nowMs() },
      timeouts,
      new Cancellation(),
    );
    if ((await endOf(reply.body)) !== 'complete') return `GET ${path}: the answer broke off`;
    return reply.status >= 200 && reply.status < 300 ? null : `GET ${path}: status ${reply.status}`;
  } catch (thrown) {
    const error = asGatewayError(thrown);
    return `GET ${path}: ${error.cause instanceof Error ? error.cause.message : error.message}`;
  }
}

/** Reads a body to its end and forgets it. */
function endOf(body: Body): Promise<BodyEnd> {
  return new Promise((resolve) => {
    body.pump({ chunk: () => true, onDrain: (call) => call(), end: resolve });
  });
}
