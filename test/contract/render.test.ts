import { protocols } from '../../gateway/protocols/registry.ts';
import { renderSuite } from './render-suite.ts';

for (const protocol of Object.values(protocols)) renderSuite(protocol);
