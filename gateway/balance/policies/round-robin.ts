import type { Policy } from '../policy.ts';
import type { Replica } from '../replica.ts';

/**
 * Each replica in turn, by weight, evenly spread (the smooth weighted round robin of nginx, 2012: 5:1:1 gives a a b a c a a).
 * A replica that was not eligible for a while does not make up for it.
 */
export function roundRobin(): Policy {
  const standing = new WeakMap<Replica, number>();
  return {
    name: 'round-robin',
    pick(eligible) {
      let chosen = eligible[0];
      let highest = Number.NEGATIVE_INFINITY;
      let total = 0;
      for (const replica of eligible) {
        const credit = (standing.get(replica) ?? 0) + replica.weight;
        standing.set(replica, credit);
        total += replica.weight;
        if (credit > highest) {
          highest = credit;
          chosen = replica;
        }
      }
      standing.set(chosen, highest - total);
      return chosen;
    },
  };
}
