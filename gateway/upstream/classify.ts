import type { Outcome } from '../balance/signal.ts';
import type { Evidence } from '../guard/gate.ts';
import type { ErrorCode, GatewayError, Retry } from '../kernel/errors.ts';

/** What one try came to. It is said once, here, and everybody goes by it: the meter and the metrics by its outcome, the gate by its evidence, the attempt by whether it may be made again. */
export interface Verdict {
  readonly outcome: Outcome;
  readonly evidence: Evidence;
  readonly retry: Retry;
}

const aboutModel: Verdict = { outcome: 'succeeded', evidence: 'none', retry: 'never' };
const succeeded: Verdict = { outcome: 'succeeded', evidence: 'success', retry: 'never' };
const clientError: Verdict = { outcome: 'succeeded', evidence: 'client_error', retry: 'never' };
const failed: Verdict = { outcome: 'failed', evidence: 'failure', retry: 'if_idempotent' };
const refused: Verdict = { outcome: 'refused', evidence: 'none', retry: 'if_idempotent' };
const forbidden: Verdict = { outcome: 'failed', evidence: 'client_error', retry: 'if_idempotent' };
const badCredential: Verdict = { outcome: 'failed', evidence: 'credential', retry: 'if_idempotent' };

/** Nobody waits for it any more: it says nothing of its replica. */
export const abandoned: Verdict = { outcome: 'abandoned', evidence: 'none', retry: 'never' };

/** Nobody waits for it any more, since another replica that was asked later has answered. */
const overtaken: Verdict = { ...abandoned, evidence: 'overtaken' };

/** Nobody waited any longer for its answer to begin. It may have been impatience, which comes to all replicas alike, or a replica that hangs. */
export const unanswered: Verdict = { ...abandoned, evidence: 'unanswered' };

/** A body that broke off after the client had part of it. */
export const brokenOff: Verdict = { ...failed, retry: 'never' };

/**
 * What an answer says. A 4xx is the client's affair, which its siblings' answers must confirm; 429 and 503 are the replica declining the
 * work, and where a model was asked about, telling how the model is. The credential it was shown is the gateway's: 401 and 402 speak of that
 * alone; a 403 may be about what was asked, and is held against a replica only where its siblings answer otherwise.
 */
export function verdictOfStatus(status: number, isAboutModel = false): Verdict {
  if (status < 400) return succeeded;
  if (status === 401 || status === 402) return badCredential;
  if (status === 403) return forbidden;
  if (isAboutModel) return aboutModel;
  if (status === 429 || status === 503) return refused;
  return status >= 500 ? failed : clientError;
}

/** What a try that got no answer says: only failures blamed on the upstream count. */
export function verdictOfError({ blame, code, retry }: GatewayError): Verdict {
  if (blame !== 'upstream') return code === 'overtaken' ? overtaken : abandoned;
  return { outcome: 'failed', evidence: evidenceOf[code] ?? 'failure', retry };
}

const evidenceOf: Partial<Record<ErrorCode, Evidence>> = {
  upstream_unreachable: 'unreachable',
  upstream_timeout: 'timeout',
  // A replica that will not have a body says so, and closes before it has come: its answer is lost, and it need not be broken.
  upload_broken: 'none',
};

/** Whether an answer means that the credential the gateway showed is bad, and must not be passed on: the client's own never reaches a replica, so that it cannot be about that. */
export function isOurCredentialBad(status: number): boolean {
  return status === 401 || status === 402 || status === 403;
}
