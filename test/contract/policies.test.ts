import { balancings } from '../../gateway/balance/registry.ts';
import { policySuite } from './policy-suite.ts';

for (const [name, balancing] of Object.entries(balancings)) policySuite(name, balancing);
