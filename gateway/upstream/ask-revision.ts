import { createHash } from 'node:crypto';
import type { Clock } from '../kernel/clock.ts';
import type { Body } from '../pipeline/reply.ts';
import { askReplica } from './ask-replica.ts';
import type { Reachable, Transport } from './transport.ts';

interface Options {
  /** Where it tells what it knows of a model. */
  readonly path: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** A server that does not tell such things will not tell them later either. */
const neverTold: readonly number[] = [404, 405, 501];

/** Asks a replica what it knows of a model: its versions, inputs and outputs. Gives the digest of that, empty where it tells nothing; null where it could not be asked now. */
export async function askRevision(replica: Reachable, transport: Transport, question: Options): Promise<string | null> {
  try {
    const { status, body } = await askReplica(replica, transport, question);
    if (status === 200) return await digestOf(body);
    body.discard();
    return neverTold.includes(status) ? '' : null;
  } catch {
    return null;
  }
}

/** Null where it breaks off. */
function digestOf(body: Body): Promise<string | null> {
  const sum = createHash('sha256');
  return new Promise((resolve) => {
    body.pump({
      chunk(bytes) {
        sum.update(bytes);
        return true;
      },
      onDrain: () => {},
      end: (how) => resolve(how === 'complete' ? sum.digest('base64url') : null),
    });
  });
}
