import type { NonEmpty, Policy } from './policy.ts';
import type { Replica } from './replica.ts';
import type { Work } from './work.ts';

/** What is free is not worth taking for those who would be served soon by better ones. */
export interface Patience {
  /** Whoever has more than these waiting before it takes what is free. */
  readonly mostAhead: number;
  /** By then what was expected has come, or was wrong. */
  readonly reviewAtMs: number;
}

/**
 * Waiting must take less than this share of the time that the free replica would: what is expected may not come. With more, p99 falls a little
 * further, and everything else rises.
 */
const worthwhile = 0.6;

/** So that nothing is divided by nothing. */
const tiniestMs = 0.001;

const nobody: readonly Replica[] = [];

/**
 * Wraps a policy whose signal knows how long replicas take: work waits for a replica without credit where it would be done much sooner there,
 * those who wait before it included, than on the best one that is free. So a slow replica is used only behind a line that is long enough
 * (Lin, Kumar, "Optimal control of a queueing system with two heterogeneous servers", 1984).
 */
export function patient(policy: Policy): Policy {
  return {
    name: 'patient',
    pick: (eligible, work, nowMs) => policy.pick(eligible, work, nowMs),
    waitFor(full, eligible, work, { nowMs, waitedMs }) {
      // What was waited in vain is not won back by waiting on.
      const mostMs = worthwhile * soonestMs(eligible, work, nowMs) - waitedMs;
      let sooner = 0;
      let mostAheadOfOne = 0;
      for (const { meter, weight, slot } of mostMs > 0 ? full : nobody) {
        // One that is still slow to start is not waited for as another is.
        const ms = (meter.doneInMs?.(work, nowMs) ?? Number.POSITIVE_INFINITY) / weight;
        if (ms >= mostMs) continue;
        sooner += 1;
        mostAheadOfOne = Math.max(mostAheadOfOne, (mostMs / Math.max(ms, tiniestMs) - 1) * (slot.inFlight + 1));
      }
      return sooner === 0 ? null : { mostAhead: Math.floor(mostAheadOfOne * sooner), reviewAtMs: nowMs + mostMs };
    },
  };
}

/** Of those that are free. Of whom nobody knows how long they take, or how much they take at once, it may be no time at all: they are tried. */
function soonestMs(eligible: NonEmpty<Replica>, work: Work, nowMs: number): number {
  let soonest = Number.POSITIVE_INFINITY;
  for (const { meter, slots, configuredWeight } of eligible) {
    const ms = slots === null ? null : (meter.doneInMs?.(work, nowMs) ?? null);
    if (ms === null) return 0;
    soonest = Math.min(soonest, ms / configuredWeight);
  }
  return soonest;
}
