import type { Counts } from './breaker.ts';
import type { EjectionCause } from './gate.ts';

/** When traffic speaks against a replica, and for how long it then gets none. */
export interface GateRules {
  /** Failures in a row that eject. */
  readonly consecutiveFailures: number;
  /** A smaller share of successes in the window ejects. */
  readonly successShareBelow: number;
  readonly windowMs: number;
  /** With fewer requests in the window its share says nothing. */
  readonly minRequests: number;
  /** The first ejection; each that follows soon lasts twice as long. */
  readonly ejectMs: number;
  readonly ejectMaxMs: number;
}

/** What speaks against a replica. */
export interface Trip {
  readonly cause: EjectionCause;
  readonly reason: string;
}

/** Failures since the last answer. */
export interface FailureRun {
  readonly length: number;
  /** How many of them were time-outs: each took all the patience there is, and counts twice. */
  readonly timeouts: number;
  /** How many, up to the last one, could not be sent at all. */
  readonly unreachable: number;
}

/** The run before the first failure. */
export const noFailures: FailureRun = { length: 0, timeouts: 0, unreachable: 0 };

/** A run with one failure more. */
export function longer(
  { length, timeouts, unreachable }: FailureRun,
  evidence: 'failure' | 'timeout' | 'unreachable',
): FailureRun {
  return {
    length: length + 1,
    timeouts: timeouts + (evidence === 'timeout' ? 1 : 0),
    unreachable: evidence === 'unreachable' ? unreachable + 1 : 0,
  };
}

/** Whether failures are too many: in a row, or as a share of the window. To be asked after each. */
export function tripByFailures(run: FailureRun, counts: Counts, rules: GateRules): Trip | null {
  const { length, timeouts, unreachable } = run;
  if (unreachable >= rules.consecutiveFailures)
    return { cause: 'unreachable', reason: `${unreachable} requests in a row could not be sent` };
  if (length + timeouts >= rules.consecutiveFailures) {
    const ofThem = timeouts === 0 ? '' : `, ${timeouts} of them time-outs, which count twice`;
    return { cause: 'outlier', reason: `${length} failures in a row${ofThem}` };
  }
  const total = totalOf(counts);
  const successShare = 1 - counts.failed / total;
  if (total < rules.minRequests || successShare >= rules.successShareBelow) return null;
  const cause = unreachable === length && unreachable >= fewestUnreachable ? 'unreachable' : 'outlier';
  return { cause, reason: `${counts.failed} of ${total} requests failed within ${rules.windowMs} ms` };
}

/** Fewer refused connections in a row may be a process that starts again. */
const fewestUnreachable = 3;

/** Fewer answers say nothing of what share of them are errors of clients. */
export const fewestAnswers = 20;

const suspectShare = 0.5;
const timesTheSiblings = 5;

/** Whether a replica may be answering 4xx to what its siblings would serve; cheap, to be asked first. */
export function isSuspect(own: Counts): boolean {
  return totalOf(own) >= fewestAnswers && clientErrorShare(own) >= suspectShare;
}

/** Whether it does: clients' own errors come to all replicas alike. */
export function tripByClientErrors(own: Counts, siblings: Counts): Trip | null {
  const ownShare = clientErrorShare(own);
  const siblingsShare = clientErrorShare(siblings);
  if (!isSuspect(own) || totalOf(siblings) < fewestAnswers || ownShare < timesTheSiblings * siblingsShare) return null;
  const shares = `${percent(ownShare)} of its requests got 4xx or no answer in time, and ${percent(siblingsShare)} of the other replicas’`;
  return { cause: 'client_errors', reason: shares };
}

function clientErrorShare(counts: Counts): number {
  const total = totalOf(counts);
  return total === 0 ? 0 : counts.clientErrors / total;
}

function totalOf({ succeeded, clientErrors, failed }: Counts): number {
  return succeeded + clientErrors + failed;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
