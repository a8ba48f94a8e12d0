import { byPrefix, bySession, withAffinity } from '../../gateway/balance/affinity.ts';
import { nearFirst } from '../../gateway/balance/near-first.ts';
import { PrefixPlaces } from '../../gateway/balance/prefix-places.ts';
import { balancings } from '../../gateway/balance/registry.ts';
import type { Rng } from '../../gateway/kernel/rng.ts';
import { policySuite } from './policy-suite.ts';

for (const [name, balancing] of Object.entries(balancings)) {
  policySuite(name, balancing);
  const { signal, newPolicy } = balancing;
  const newWrapped = (rng: Rng) =>
    withAffinity(withAffinity(nearFirst(newPolicy(rng), 'here'), byPrefix(new PrefixPlaces(9)), 1.25), bySession, 1.25);
  policySuite(`${name} with zones and affinity, for work that belongs nowhere`, { signal, newPolicy: newWrapped });
}
