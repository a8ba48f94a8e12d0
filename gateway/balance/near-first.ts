import { isNonEmpty, lowestPrice, type Policy } from './policy.ts';
import type { Replica } from './replica.ts';

/**
 * How many times the price of a far replica a near one may cost. By expected completion a replica whose slots are all busy costs twice what it
 * costs empty: where all are equally fast, nothing goes far while a near one has a free slot.
 */
const dearest = 2;

/**
 * Wraps a policy: of the replicas in the gateway's zone and those in others it sees either the ones or the others. A near one that has nothing
 * to do is always taken: what is known of far ones grows old while they get nothing, and their price with it.
 */
export function nearFirst(policy: Policy, zone: string): Policy {
  const near: Replica[] = [];
  const far: Replica[] = [];
  let staysNear = false;
  const isNear = (replica: Replica): boolean => replica.zone === null || replica.zone === zone;
  return {
    name: policy.name,
    get preference() {
      return staysNear ? 'zone' : null;
    },
    waitFor(full, eligible, work, at) {
      if (eligible.some((one) => isNear(one) && one.slot.inFlight === 0)) return null;
      return policy.waitFor?.(full.filter(isNear), eligible, work, at) ?? null;
    },
    pick(eligible, work, nowMs) {
      near.length = far.length = 0;
      for (const replica of eligible) (isNear(replica) ? near : far).push(replica);
      staysNear = false;
      if (!isNonEmpty(near) || !isNonEmpty(far)) return policy.pick(eligible, work, nowMs);
      staysNear =
        near.some(({ slot }) => slot.inFlight === 0) ||
        lowestPrice(near, work, nowMs) <= dearest * lowestPrice(far, work, nowMs);
      return policy.pick(staysNear ? near : far, work, nowMs);
    },
  };
}
