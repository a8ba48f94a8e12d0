import type { Outcome } from '../balance/signal.ts';
import type { GatewayError } from '../kernel/errors.ts';

/** What an answer says about the replica that gave it. A 4xx is the client's affair, but 429 and 503 are the replica declining the work. */
export function outcomeOfStatus(status: number): Outcome {
  if (status === 429 || status === 503) return 'refused';
  return status >= 500 ? 'failed' : 'succeeded';
}

/** What a try that got no answer says about its replica: only failures blamed on the upstream count. */
export function outcomeOfError(error: GatewayError): Outcome {
  return error.blame === 'upstream' ? 'failed' : 'abandoned';
}

/** Whether an answer means that the credential the gateway showed is bad. The client's own never reaches a replica, so that it cannot be about that. */
export function isOurCredentialBad(status: number): boolean {
  return status === 401 || status === 402 || status === 403;
}
