import type { Rng } from '../../kernel/rng.ts';
import { type Policy, priceOf } from '../policy.ts';

/** The replica with the lowest price of all; ties are drawn, so that several gateways do not all choose the first. */
export function cheapest(rng: Rng): Policy {
  let tiedAt = new Uint32Array(64);
  return {
    name: 'cheapest',
    pick(eligible, work, nowMs) {
      if (tiedAt.length < eligible.length) tiedAt = new Uint32Array(2 * eligible.length);
      let lowest = Number.POSITIVE_INFINITY;
      let ties = 0;
      let at = 0;
      for (const replica of eligible) {
        const price = priceOf(replica, work, nowMs);
        if (price <= lowest) {
          if (price < lowest) ties = 0;
          lowest = price;
          tiedAt[ties] = at;
          ties += 1;
        }
        at += 1;
      }
      // Each is as likely.
      const drawn = ties > 1 ? ties - 1 - rng.below(ties) : 0;
      return eligible[tiedAt[drawn] ?? 0] ?? eligible[0];
    },
  };
}
