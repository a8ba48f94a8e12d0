import { balancings } from '../../gateway/balance/registry.ts';
import { signalSuite } from './signal-suite.ts';

for (const signal of new Set(Object.values(balancings).map((one) => one.signal))) signalSuite(signal);
