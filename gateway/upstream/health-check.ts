import type { Replica } from '../balance/replica.ts';
import { Cancellation } from '../kernel/cancellation.ts';
import type { Clock } from '../kernel/clock.ts';
import { asGatewayError } from '../kernel/errors.ts';
import type { Body, BodyEnd } from '../pipeline/reply.ts';
import type { Transport } from './transport.ts';

interface Options {
  readonly path: string;
  readonly timeoutMs: number;
  /** The first status that speaks against the replica. */
  readonly unwellFromStatus: number;
  readonly clock: Clock;
}

/** These often repeat the credential, which is ours and for no log. */
const credentialRefusals: readonly number[] = [401, 402, 403];

/** Asks a replica for its health over the connections that requests use. Null when it is well, else what is wrong. Judged by status alone: servers disagree about the body. */
export async function checkHealth(
  replica: Replica,
  transport: Transport,
  { path, timeoutMs, unwellFromStatus, clock }: Options,
): Promise<string | null> {
  const timeouts = { firstByteMs: timeoutMs, idleMs: timeoutMs, totalMs: timeoutMs };
  const headers = Object.entries(replica.address.headers).flat();
  try {
    const reply = await transport.send(
      replica,
      { method: 'GET', path, body: null, headers, sentAtMs: clock.nowMs() },
      timeouts,
      new Cancellation(),
    );
    const { end, beginning } = await readThrough(reply.body);
    if (end !== 'complete') return `GET ${path}: the answer broke off`;
    if (reply.status < unwellFromStatus) return null;
    const isTold = beginning !== '' && !credentialRefusals.includes(reply.status);
    return `GET ${path}: status ${reply.status}${isTold ? `: ${beginning}` : ''}`;
  } catch (thrown) {
    const error = asGatewayError(thrown);
    return `GET ${path}: ${error.cause instanceof Error ? error.cause.message : error.message}`;
  }
}

/** Of what a replica says of itself, this much is worth a place in a log. */
const keptBytes = 300;

/** Reads a body to its end and keeps its beginning. */
function readThrough(body: Body): Promise<{ end: BodyEnd; beginning: string }> {
  let kept = Buffer.alloc(0);
  return new Promise((resolve) => {
    body.pump({
      chunk(bytes) {
        if (kept.length < keptBytes) kept = Buffer.concat([kept, bytes]);
        return true;
      },
      onDrain: (call) => call(),
      end: (end) => resolve({ end, beginning: kept.toString('utf8', 0, keptBytes) }),
    });
  });
}
