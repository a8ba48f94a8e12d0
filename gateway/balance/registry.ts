import type { Rng } from '../kernel/rng.ts';
import { patient } from './patience.ts';
import { cheapest } from './policies/cheapest.ts';
import { p2c } from './policies/p2c.ts';
import { random } from './policies/random.ts';
import { roundRobin } from './policies/round-robin.ts';
import type { Policy } from './policy.ts';
import type { LoadSignal } from './signal.ts';
import { expectedCompletion, shortestExpected } from './signals/expected-completion.ts';
import { leastTime } from './signals/least-time.ts';
import { outstanding } from './signals/outstanding.ts';
import { peakEwma } from './signals/peak-ewma.ts';

interface Balancing {
  readonly signal: LoadSignal;
  newPolicy(rng: Rng): Policy;
}

/** Every way to balance, under the name it has in the YAML: a policy times a signal. A new one is its own file, a line here and its name in the schema. */
export const balancings = {
  'round-robin': { signal: outstanding, newPolicy: roundRobin },
  random: { signal: outstanding, newPolicy: random },
  'least-outstanding': { signal: outstanding, newPolicy: cheapest },
  p2c: { signal: outstanding, newPolicy: p2c },
  'peak-ewma': { signal: peakEwma, newPolicy: p2c },
  'least-time': { signal: leastTime, newPolicy: cheapest },
  'shortest-expected': { signal: shortestExpected, newPolicy: cheapest },
  adaptive: { signal: expectedCompletion, newPolicy: (rng) => patient(cheapest(rng)) },
} as const satisfies Record<string, Balancing>;

/** A way to balance, as the YAML names it. */
export type BalancingName = keyof typeof balancings;
