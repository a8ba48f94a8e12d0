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

/** How two targets are told to differ. */
export const comparisonSchema = z.strictObject({
  version: z.literal(1),
  a: z.string(),
  b: z.string(),
  confidence: z.number(),
  repetitions: z.int(),
  isSimulated: z.boolean().default(false).describe('Whether its runs went by a virtual clock.'),
  reasons: z.array(z.string()).describe('Why nothing, or less than wanted, can be said; empty when all is well.'),
  differences: z.array(differenceSchema),
});

/** The shape of comparison.json: one comparison, or one of each other target with the first. */
export const comparisonFileSchema = z.union([
  comparisonSchema,
  z.strictObject({ version: z.literal(1), comparisons: z.array(comparisonSchema) }),
]);

/** How two targets differ, by paired repetitions of one schedule. */
export type Comparison = z.infer<typeof comparisonSchema>;

/** How some targets differ from one of them. */
export type ComparisonFile = z.infer<typeof comparisonFileSchema>;

/** Some comparisons as they are kept. */
export function comparisonFileOf(comparisons: readonly Comparison[]): ComparisonFile {
  const [first, ...more] = comparisons;
  return first !== undefined && more.length === 0 ? first : { version: 1, comparisons: [...comparisons] };
}

/** The same taken apart. */
export function comparisonsIn(file: ComparisonFile): readonly Comparison[] {
  return 'comparisons' in file ? file.comparisons : [file];
}

/** How they differ in one metric. */
export type Difference = z.infer<typeof differenceSchema>;

/** The JSON Schema of comparison.json. */
export function comparisonJsonSchema(): object {
  return { title: 'Headgate load-test comparison', ...z.toJSONSchema(comparisonFileSchema, { target: 'draft-07' }) };
}
