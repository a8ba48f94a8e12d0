import { describeOwnLimit, type OwnLimit } from './own-limit.ts';
import type { Summary } from './summary.ts';

/** What the generator knows of its own health. */
export interface GeneratorHealth {
  /** Planned after the warm-up and never sent. */
  readonly unsent: number;
  /** What of this machine's kept it from sending them; null where that is not known. */
  readonly ownLimit: OwnLimit | null;
  /** The 99th percentile of how late its event loop came to its work; null where nobody watched. */
  readonly eventLoopDelayP99Ms: number | null;
  /** Somebody ended it before its time: what it would have come to is not known. */
  readonly wasInterrupted: boolean;
}

/** A delay nobody could tell from the target's own: 10 ms, or a twentieth of a typical answer if that is more. */
const leastBoundMs = 10;
const boundOfMedian = 0.05;

/** Whether the figures of a run tell of the target, or of a generator that could not keep up; with the reasons in words. */
export function judgeValidity(
  { scheduleLag, latency }: Pick<Summary, 'scheduleLag' | 'latency'>,
  { unsent, ownLimit, eventLoopDelayP99Ms, wasInterrupted }: GeneratorHealth,
): Summary['verdict'] {
  const boundMs = Math.max(leastBoundMs, boundOfMedian * (latency.ok?.p50Ms ?? 0));
  const scheduleLagP99Ms = scheduleLag?.p99Ms ?? null;
  const exceeds = (valueMs: number | null): valueMs is number => valueMs !== null && valueMs > boundMs;
  const bound = `more than the ${shown(boundMs)} that a run may have`;
  const reasons: string[] = [];
  if (wasInterrupted) reasons.push('it was interrupted: the figures are of what had been sent until then');
  if (scheduleLag === null) reasons.push('no request was sent in the measured time');
  if (exceeds(scheduleLagP99Ms))
    reasons.push(`1 % of the requests were sent ${shown(scheduleLagP99Ms)} late or later, ${bound}`);
  if (exceeds(eventLoopDelayP99Ms))
    reasons.push(`the generator's event loop was ${shown(eventLoopDelayP99Ms)} late at its 99th percentile, ${bound}`);
  if (unsent > 0) reasons.push(`${unsent} planned ${unsent === 1 ? 'request was' : 'requests were'} never sent`);
  if (ownLimit !== null) reasons.push(describeOwnLimit(ownLimit));
  return { isValid: reasons.length === 0, reasons, boundMs, scheduleLagP99Ms, eventLoopDelayP99Ms };
}

function shown(valueMs: number): string {
  return `${valueMs.toFixed(1)} ms`;
}
