import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { profileJsonSchema } from './model-server/read-profile.ts';

// Writes what editors check profiles of simulated servers against: part of `npm run schema`.
writeFileSync(
  join(import.meta.dirname, 'profiles', 'schema.json'),
  `${JSON.stringify(profileJsonSchema(), null, 2)}\n`,
);
