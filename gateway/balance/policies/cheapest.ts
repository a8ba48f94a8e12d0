import type { Rng } from '../../kernel/rng.ts';
import { type Policy, priceOf } from '../policy.ts';

/** The replica with the lowest price of all; ties are drawn, so that several gateways do not all choose the first. */
export function cheapest(rng: Rng): Policy {
  let prices = new Float64Array(64);
  return {
    name: 'cheapest',
    pick(eligible, work, nowMs) {
      if (prices.length < eligible.length) prices = new Float64Array(2 * eligible.length);
      let lowest = Number.POSITIVE_INFINITY;
      let ties = 0;
      let lowestAt = 0;
      for (let at = 0; at < eligible.length; at++) {
        const price = priceOf(eligible[at] ?? eligible[0], work, nowMs);
        prices[at] = price;
        if (price > lowest) continue;
        ties = price < lowest ? 1 : ties + 1;
        lowest = price;
        lowestAt = at;
      }
      // Each tie is as likely.
      for (let left = ties > 1 ? rng.below(ties) : 0; left > 0; left--) {
        do lowestAt -= 1;
        while (prices[lowestAt] !== lowest);
      }
      return eligible[lowestAt] ?? eligible[0];
    },
  };
}
