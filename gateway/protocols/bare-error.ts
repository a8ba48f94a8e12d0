import type { GatewayError } from '../kernel/errors.ts';
import { jsonReply, type Reply } from '../pipeline/reply.ts';

/** An error as a bare string: so Open Inference and TF Serving have it, and whoever speaks plain HTTP understands it. */
export function bareError(error: GatewayError): Reply {
  return jsonReply(error.status, { error: error.message }, 'refused');
}
