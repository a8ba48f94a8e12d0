import type { Rng } from '../../kernel/rng.ts';
import type { NonEmpty, Policy } from '../policy.ts';
import type { Replica } from '../replica.ts';

/** Any replica, with a probability proportional to its weight. */
export function random(rng: Rng): Policy {
  return { name: 'random', pick: (eligible) => drawByWeight(eligible, rng) };
}

/** One weighted draw; shared with the policies that sample. */
export function drawByWeight(eligible: NonEmpty<Replica>, rng: Rng): Replica {
  let total = 0;
  for (const replica of eligible) total += replica.weight;
  let left = rng.next() * total;
  for (const replica of eligible) {
    left -= replica.weight;
    if (left < 0) return replica;
  }
  return eligible[0];
}
