import { z } from 'zod';
import { units } from '../report/summary.ts';

const sideSchema = z.strictObject({ name: z.string(), values: z.array(z.number()) });

const differenceSchema = z.strictObject({
  metric: z.string(),
  unit: z.enum(units),
  a: sideSchema.describe('One value a repetition.'),
  b: sideSchema,
  kind: z
    .enum(['relative', 'absolute'])
    .describe('Whether difference, low and high are shares of A (durations, rates) or plain differences (shares).'),
  difference: z.number().describe('What B has more than A.'),
  low: z.number(),
  high: z.number(),
  verdict: z.enum(['better', 'worse', 'no difference shown']).describe('Of B, against A.'),
});

/** The shape of comparison.json. */
export const comparisonSchema = z.strictObject({
  version: z.literal(1),
  a: z.string(),
  b: z.string(),
  confidence: z.number(),
  repetitions: z.int(),
  reasons: z.array(z.string()).describe('Why nothing, or less than wanted, can be said; empty when all is well.'),
  differences: z.array(differenceSchema),
});

/** How two targets differ, by paired repetitions of one schedule. */
export type Comparison = z.infer<typeof comparisonSchema>;

/** How they differ in one metric. */
export type Difference = z.infer<typeof differenceSchema>;

/** The JSON Schema of comparison.json. */
export function comparisonJsonSchema(): object {
  return { title: 'Headgate load-test comparison', ...z.toJSONSchema(comparisonSchema, { target: 'draft-07' }) };
}
