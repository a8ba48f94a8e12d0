import { cpSync } from 'node:fs';
import { join } from 'node:path';

// The last step of `npm run build`: what the compiled code reads beside itself.

const root = join(import.meta.dirname, '..');
const [dist = join(root, 'dist')] = process.argv.slice(2);
const page = join('loadtest', 'report', 'page');
const assets = [
  join('gateway', 'cache', 'lua'),
  join('gateway', 'worker', 'models'),
  join(page, 'style.css'),
  join(page, 'behaviour.js'),
  'package.json',
];

for (const asset of assets) cpSync(join(root, asset), join(dist, asset), { recursive: true });
