import type { Rng } from '../../kernel/rng.ts';
import { type Policy, priceOf } from '../policy.ts';

/**
 * Two different replicas are drawn and the cheaper one taken (Mitzenmacher, "The power of two choices", 2001).
 * Unstable where replicas differ much in how many requests they can work on at once: see `cheapest`.
 */
export function p2c(rng: Rng): Policy {
  return {
    name: 'p2c',
    pick(eligible, work, nowMs) {
      const firstAt = rng.below(eligible.length);
      const first = eligible[firstAt] ?? eligible[0];
      if (eligible.length === 1) return first;
      // Drawn from the others: with replacement, a replica would meet itself once in n draws.
      const otherAt = rng.below(eligible.length - 1);
      const second = eligible[otherAt < firstAt ? otherAt : otherAt + 1] ?? first;
      const difference = priceOf(first, work, nowMs) - priceOf(second, work, nowMs);
      return difference < 0 || (difference === 0 && rng.next() < 0.5) ? first : second;
    },
  };
}
