import { cpSync } from 'node:fs';
import { join } from 'node:path';

// The last step of `npm run build`: what the compiled code reads beside itself.

const root = join(import.meta.dirname, '..');
const [dist = join(root, 'dist')] = process.argv.slice(2);
const models = join('gateway', 'worker', 'models');

cpSync(join(root, models), join(dist, models), { recursive: true });
cpSync(join(root, 'package.json'), join(dist, 'package.json'));
