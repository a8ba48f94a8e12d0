import { isNonEmpty, type NonEmpty, type Policy } from '../../../gateway/balance/policy.ts';
import type { Replica } from '../../../gateway/balance/replica.ts';
import type { Clock } from '../../../gateway/kernel/clock.ts';
import type { Rng } from '../../../gateway/kernel/rng.ts';

/** The published constants, but for the pool, which must be small beside a small fleet. */
const hotQuantile = 0.84;
const probesEach = 3;
const probeLastsMs = 1_000;
const poolShare = 0.5;

/** What a probe found, an instant ago. */
interface Probe {
  readonly replica: Replica;
  readonly atMs: number;
  readonly latencyMs: number;
  inFlight: number;
}

/**
 * Prequal (Wydrowski et al., "Load is not what you should balance", NSDI 2024), for the simulation alone: of the replicas that were probed of late, the one of
 * least latency among those with few requests in flight, else the one with the fewest. A probe is a look at what the replica last told, and is not sent.
 */
export function prequal(rng: Rng, clock: Clock): Policy {
  let pool: Probe[] = [];
  return {
    name: 'prequal',
    pick(eligible, _work, nowMs) {
      pool = pool.filter(({ replica, atMs }) => nowMs - atMs < probeLastsMs && eligible.includes(replica));
      const chosen = isNonEmpty(pool) ? bestOf(pool) : null;
      for (let n = 0; n < probesEach; n++) pool.push(probed(eligible, rng, clock));
      const most = Math.max(2, Math.round(poolShare * eligible.length));
      if (pool.length > most) pool = pool.slice(pool.length - most);
      if (chosen === null) return eligible[rng.below(eligible.length)] ?? eligible[0];
      chosen.inFlight += 1;
      return chosen.replica;
    },
  };
}

function probed(eligible: NonEmpty<Replica>, rng: Rng, clock: Clock): Probe {
  const replica = eligible[rng.below(eligible.length)] ?? eligible[0];
  const { report } = replica;
  return {
    replica,
    atMs: clock.nowMs(),
    latencyMs: (report?.serviceSeconds ?? 0) * 1000,
    inFlight: report?.inFlight ?? 0,
  };
}

/** Hot is who has more in flight than most of the pool. */
function bestOf(pool: NonEmpty<Probe>): Probe {
  const inFlight = pool.map((one) => one.inFlight).toSorted((a, b) => a - b);
  const hot = inFlight[Math.min(inFlight.length - 1, Math.floor(hotQuantile * inFlight.length))] ?? 0;
  const cold = pool.filter((one) => one.inFlight <= hot);
  const [first] = pool;
  return isNonEmpty(cold)
    ? cold.reduce((best, one) => (one.latencyMs < best.latencyMs ? one : best))
    : pool.reduce((best, one) => (one.inFlight < best.inFlight ? one : best), first);
}
