import type { Rng } from '../../kernel/rng.ts';
import { type Policy, priceOf } from '../policy.ts';

/** The replica with the lowest price of all; ties are drawn, so that several gateways do not all choose the first. */
export function cheapest(rng: Rng): Policy {
  return {
    name: 'cheapest',
    pick(eligible, work, nowMs) {
      let chosen = eligible[0];
      let lowest = Number.POSITIVE_INFINITY;
      let ties = 0;
      for (const replica of eligible) {
        const price = priceOf(replica, work, nowMs);
        if (price > lowest) continue;
        ties = price < lowest ? 1 : ties + 1;
        lowest = price;
        // Reservoir sampling: the k-th tie replaces the choice with probability 1/k, so that each is as likely.
        if (ties === 1 || rng.below(ties) === 0) chosen = replica;
      }
      return chosen;
    },
  };
}
