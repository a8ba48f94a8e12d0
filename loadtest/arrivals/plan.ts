import { seededRng } from '../../gateway/kernel/rng.ts';
import { type Payload, payloadsOf } from '../payloads/payload.ts';
import type { Clients, Scenario, Target } from '../scenario/scenario.ts';
import { instantsOf } from './instants.ts';
import { seedsOf } from './seeds.ts';

export type { Payload };

/** One request as it is meant to be sent. */
export interface PlannedRequest {
  /** Counted from 0 over all processes. */
  readonly index: number;
  /** Since the start; 0 in a closed loop, where a request is due when another has ended. */
  readonly plannedAtMs: number;
  readonly payload: Payload;
  /** When the client leaves, counted from the sending; null for a client that stays. */
  readonly cancelAfterMs: number | null;
  /** How fast the client takes the answer; null for as fast as it comes. */
  readonly readBytesPerSecond: number | null;
}

/**
 * The requests of a scenario to one of its targets, in the order of their instants. The same seed gives the same to every target, byte
 * for byte but for the model's name. Only a closed loop without a number of requests has no end: whoever drives it stops at `forMs`.
 */
export function* planOf(scenario: Scenario, target: Target): Generator<PlannedRequest> {
  const seeds = seedsOf(scenario.seed);
  const payloadOf = payloadsOf(scenario.payloads, target, seeds);
  const end = {
    index: scenario.requests ?? Number.POSITIVE_INFINITY,
    atMs: scenario.forMs ?? Number.POSITIVE_INFINITY,
  };
  let index = 0;
  for (const plannedAtMs of instantsOf(scenario.arrivals, scenario.forMs, seededRng(seeds.arrivals))) {
    if (index >= end.index || plannedAtMs >= end.atMs) return;
    yield { index, plannedAtMs, payload: payloadOf(index), ...behaviourOf(scenario.clients, seeds.clients + index) };
    index += 1;
  }
}

type Behaviour = Pick<PlannedRequest, 'cancelAfterMs' | 'readBytesPerSecond'>;

const patient: Behaviour = { cancelAfterMs: null, readBytesPerSecond: null };

/** Both are drawn in any case, so that one share leaves it as it was whom the other meets. */
function behaviourOf({ cancel, slow }: Clients, seed: number): Behaviour {
  if (cancel === null && slow === null) return patient;
  const rng = seededRng(seed);
  const [leaving, dawdling] = [rng.next(), rng.next()];
  return {
    cancelAfterMs: cancel !== null && leaving < cancel.share ? cancel.afterMs : null,
    readBytesPerSecond: slow !== null && dawdling < slow.share ? slow.bytesPerSecond : null,
  };
}
