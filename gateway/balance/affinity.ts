import { lowestPrice, type NonEmpty, type Policy, priceOf } from './policy.ts';
import type { PrefixPlaces } from './prefix-places.ts';
import type { Replica } from './replica.ts';
import type { Work } from './work.ts';

/** Finds the replica that has served others of the same kind, or null where none has, or it cannot be told. Told afterwards who got the work. */
export interface Affinity {
  find(eligible: NonEmpty<Replica>, work: Work): Replica | null;
  note(work: Work, chosen: Replica): void;
}

/** Wraps a policy: a request goes where those of its kind went, while that replica is neither fuller nor dearer than it should be; else as the policy says. */
export function withAffinity(policy: Policy, affinity: Affinity, bound: number): Policy {
  let isKept = false;
  const keptOf = (eligible: NonEmpty<Replica>, work: Work, nowMs: number): Replica | null => {
    const preferred = affinity.find(eligible, work);
    if (preferred === null || !isBelow(bound, preferred, eligible)) return null;
    return isCheap(preferred, eligible, work, nowMs) ? preferred : null;
  };
  return {
    name: policy.name,
    get preference() {
      return isKept ? 'affinity' : (policy.preference ?? null);
    },
    waitFor(full, eligible, work, at) {
      if (policy.waitFor === undefined || keptOf(eligible, work, at.nowMs) !== null) return null;
      return policy.waitFor(full, eligible, work, at);
    },
    pick(eligible, work, nowMs) {
      const kept = keptOf(eligible, work, nowMs);
      isKept = kept !== null;
      const chosen = kept ?? policy.pick(eligible, work, nowMs);
      affinity.note(work, chosen);
      return chosen;
    },
  };
}

/**
 * Bounded loads (Mirrokni, Thorup, Zadimoghaddam, "Consistent hashing with bounded loads", 2018): it has at most `bound` times its due of what
 * is in flight, rounded up. What it would have with this request decides nothing: where there are few requests, one more is always too many.
 */
function isBelow(bound: number, preferred: Replica, eligible: NonEmpty<Replica>): boolean {
  let inFlight = 1;
  let weight = 0;
  for (const replica of eligible) {
    inFlight += replica.slot.inFlight;
    weight += replica.weight;
  }
  return preferred.slot.inFlight <= Math.ceil((bound * inFlight * preferred.weight) / weight);
}

/** How many times the lowest price what lies in a replica's cache is worth. Where few requests are in flight, one more makes a replica twice as dear by itself. */
const dearest = 3;

/** Of prices that are times, those below this differ by chance: a first answer waits for its connection. */
const negligibleMs = 20;

function isCheap(preferred: Replica, eligible: NonEmpty<Replica>, work: Work, nowMs: number): boolean {
  const least = preferred.priceUnit === 'ms' ? negligibleMs : 0;
  return priceOf(preferred, work, nowMs) <= dearest * Math.max(least, lowestPrice(eligible, work, nowMs));
}

/** By the beginning of prompts. */
export function byPrefix(places: PrefixPlaces): Affinity {
  return {
    find(eligible, { prefix }) {
      const state = prefix === null ? null : places.find(prefix, eligible.length);
      return state === null ? null : (eligible.find((replica) => replica.state === state) ?? null);
    },
    note({ prefix }, { state }) {
      if (prefix !== null) places.note(prefix, state);
    },
  };
}

/** By session, which nobody needs to remember: rendezvous hashing (Thaler, Ravishankar, 1996), so that a replica that leaves moves its own sessions only. */
export const bySession: Affinity = {
  find(eligible, { sessionKey }) {
    if (sessionKey === null) return null;
    const key = hashOf(sessionKey);
    let chosen = eligible[0];
    let highest = Number.NEGATIVE_INFINITY;
    for (const replica of eligible) {
      const drawn = (mixed(key ^ hashOf(replica.id)) + 0.5) / 2 ** 32;
      // Of twice the weight, it has twice the sessions.
      const score = -replica.configuredWeight / Math.log(drawn);
      if (score <= highest) continue;
      highest = score;
      chosen = replica;
    }
    return chosen;
  },
  note() {},
};

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}

/** The end of MurmurHash3, after which each bit depends on all of them. */
function mixed(hash: number): number {
  let bits = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
