import { cheapest } from '../../gateway/balance/policies/cheapest.ts';
import { balancings } from '../../gateway/balance/registry.ts';
import { outstanding } from '../../gateway/balance/signals/outstanding.ts';
import { c3 } from './comparators/c3.ts';
import { prequal } from './comparators/prequal.ts';
import type { Balancing } from './simulated-gateway.ts';

/** What replicas tell: nothing; how they are, but not their slots; or all. Where slots are told, credits bind. */
const silent = { tells: 'nothing' } as const;
const telling = { tells: 'all' } as const;

/** The ways to balance that are compared, under the names the table has for them. What goes by nothing that replicas tell is not told it. */
export const columns: Readonly<Record<string, Balancing>> = {
  RR: { ...balancings['round-robin'], ...silent },
  LC: { ...balancings['least-outstanding'], ...silent },
  P2C: { ...balancings.p2c, ...silent },
  PeakEWMA: { ...balancings['peak-ewma'], ...silent },
  'least-time': { ...balancings['least-time'], ...silent },
  SED: { ...balancings['shortest-expected'], ...telling },
  C3: { signal: c3, newPolicy: cheapest, tells: 'load' },
  Prequal: { signal: outstanding, newPolicy: prequal, tells: 'load' },
  adaptive: { ...balancings.adaptive, ...telling },
  'adaptive, told nothing': { ...balancings.adaptive, ...silent },
};
