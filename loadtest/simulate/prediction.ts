import { z } from 'zod';
import { outcomes } from '../measure/record.ts';
import { metrics } from '../report/assertion.ts';
import { rounded } from '../report/rounding.ts';
import { type Summary, units } from '../report/summary.ts';

const value = z.number().nullable().describe('Null where the run has no such value.');

const row = z.strictObject({
  metric: z.string(),
  unit: z.enum(units),
  predicted: value,
  measured: value,
  difference: value.describe(
    'What was predicted above what was measured: a share of the latter for durations and rates, a plain difference for shares.',
  ),
});

const side = z.strictObject({ target: z.string(), seed: z.number(), startedAt: z.string() });

/** The shape of prediction.json. */
export const predictionSchema = z.strictObject({
  version: z.literal(1),
  predicted: side,
  measured: side,
  notes: z.array(z.string()).describe('What parts the two besides the prediction; empty when nothing does.'),
  rows: z.array(row),
});

/** What a simulation has predicted beside what was measured. */
export type Prediction = z.infer<typeof predictionSchema>;

/** One figure of both. */
export type PredictionRow = z.infer<typeof row>;

/** The JSON Schema of prediction.json. */
export function predictionJsonSchema(): object {
  return { title: 'Headgate load-test prediction', ...z.toJSONSchema(predictionSchema, { target: 'draft-07' }) };
}

const quantiles = ['p50', 'p90', 'p99', 'p99.9'];
const compared = [
  ...['', 'ttft.', 'itl.', 'tpot.'].flatMap((prefix) => quantiles.map((quantile) => prefix + quantile)),
  ...outcomes,
  'goodput',
];

/** Puts a predicted run beside a measured one. */
export function predict(predicted: Summary, measured: Summary): Prediction {
  const rows = compared.flatMap((metric): PredictionRow[] => {
    const known = metrics[metric];
    if (known === undefined) throw new RangeError(`${metric} is no metric`);
    const [ofPredicted, ofMeasured] = [known.of(predicted), known.of(measured)];
    // Of outcomes that neither has, and durations of what neither did, there is nothing to say.
    return (ofPredicted ?? 0) === 0 && (ofMeasured ?? 0) === 0 && metric !== 'goodput'
      ? []
      : [rowOf(metric, known.unit, ofPredicted, ofMeasured)];
  });
  return {
    version: 1,
    predicted: sideOf(predicted),
    measured: sideOf(measured),
    notes: notesOn(predicted, measured),
    rows: [...rows, ...replicaRows(predicted, measured)],
  };
}

function rowOf(
  metric: string,
  unit: PredictionRow['unit'],
  predicted: number | null,
  measured: number | null,
): PredictionRow {
  if (predicted === null || measured === null) return { metric, unit, predicted, measured, difference: null };
  if (unit === 'share') return { metric, unit, predicted, measured, difference: rounded(predicted - measured) };
  const difference = measured === 0 ? null : rounded(predicted / measured - 1);
  return { metric, unit, predicted, measured, difference };
}

function replicaRows({ replicas: predicted }: Summary, { replicas: measured }: Summary): PredictionRow[] {
  const shareIn = (replicas: Summary['replicas'], name: string): number =>
    replicas.find((one) => one.name === name)?.share ?? 0;
  const names = new Set([...predicted, ...measured].map(({ name }) => name));
  return [...names].map((name) =>
    rowOf(`share of ${name}`, 'share', shareIn(predicted, name), shareIn(measured, name)),
  );
}

function sideOf({ run: { target, seed, startedAt } }: Summary): Prediction['predicted'] {
  return { target, seed, startedAt };
}

function notesOn({ run, requests }: Summary, measured: Summary): string[] {
  return [
    ...(measured.verdict.isValid ? [] : ['the measured run is INVALID: it tells of its generator']),
    ...(measured.run.isSimulated ? ['the measured run was simulated itself'] : []),
    ...(run.seed === measured.run.seed
      ? []
      : [`measured with seed ${measured.run.seed}: chance alone parts the two as well`]),
    ...(requests.offered === measured.requests.offered
      ? []
      : [`${requests.offered} requests were predicted, ${measured.requests.offered} measured: not the same plan`]),
  ];
}
