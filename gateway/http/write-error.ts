import { asGatewayError } from '../kernel/errors.ts';
import type { Protocol } from '../pipeline/protocol.ts';
import type { Reply } from '../pipeline/reply.ts';

/** The one place where a failure becomes an answer: in the shape of the protocol the client speaks, with the time to come back where there is one. */
export function errorReply(thrown: unknown, protocol: Pick<Protocol, 'refuse'>): Reply {
  const error = asGatewayError(thrown);
  const reply = protocol.refuse(error);
  if (error.retryAfterMs !== null) reply.headers.push('retry-after', String(Math.ceil(error.retryAfterMs / 1000)));
  return reply;
}
