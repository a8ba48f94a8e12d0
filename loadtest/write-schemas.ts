import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { comparisonJsonSchema } from './compare/comparison.ts';
import { profileJsonSchema } from './model-server/read-profile.ts';
import { summaryJsonSchema } from './report/summary.ts';
import { scenarioJsonSchema } from './scenario/schema.ts';
import { predictionJsonSchema } from './simulate/prediction.ts';

// A part of `npm run schema`: what editors check scenarios with, and what those read who take results into other programs.

const schemas = {
  'profiles/schema.json': profileJsonSchema(),
  'scenario.schema.json': scenarioJsonSchema(),
  'summary.schema.json': summaryJsonSchema(),
  'comparison.schema.json': comparisonJsonSchema(),
  'prediction.schema.json': predictionJsonSchema(),
};

for (const [file, schema] of Object.entries(schemas))
  writeFileSync(join(import.meta.dirname, file), `${JSON.stringify(schema, null, 2)}\n`);
