import { cpSync } from 'node:fs';
import { join } from 'node:path';

// The last step of `npm run build`: what the compiled code reads beside itself.

const root = join(import.meta.dirname, '..');
const models = join('gateway', 'worker', 'models');

cpSync(join(root, models), join(root, 'dist', models), { recursive: true });
cpSync(join(root, 'package.json'), join(root, 'dist', 'package.json'));
