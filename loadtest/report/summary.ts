import { z } from 'zod';
import { outcomes } from '../measure/record.ts';

const ms = z.number().nonnegative();
const msOrNull = ms.nullable();
const count = z.int().nonnegative();
const share = z.number().min(0).max(1);

const distribution = z
  .strictObject({
    count,
    meanMs: ms,
    p50Ms: ms,
    p90Ms: ms,
    p95Ms: ms,
    p99Ms: ms,
    p999Ms: ms,
    maxMs: ms,
  })
  .describe('Durations of which `count` were recorded; quantiles are within 0.1 % (HdrHistogram, 3 digits).');
const distributionOrNull = distribution.nullable();

const byOutcome = <Value extends z.ZodType>(value: Value) => z.record(z.enum(outcomes), value);

const environment = z.strictObject({
  headgate: z.string(),
  node: z.string(),
  gitCommit: z.string().nullable(),
  platform: z.string(),
  processor: z.string(),
  processorCount: count,
  memoryBytes: count,
});

const run = z.strictObject({
  name: z.string(),
  target: z.string(),
  seed: z.number(),
  startedAt: z.string().describe('Wall time, ISO 8601.'),
  isSimulated: z
    .boolean()
    .default(false)
    .describe(
      'Whether all of it, clients, gateway and servers, went by a virtual clock: then no machine was measured.',
    ),
  environment,
});

const verdict = z.strictObject({
  isValid: z
    .boolean()
    .describe('False when the generator itself fell behind: the figures then tell of it, not of the target.'),
  reasons: z.array(z.string()),
  boundMs: ms.describe('What the 99th percentiles of schedule lag and event-loop delay may not exceed.'),
  scheduleLagP99Ms: msOrNull,
  eventLoopDelayP99Ms: msOrNull,
});

const requests = z.strictObject({
  offered: count.describe('All that the schedule planned after the warm-up, sent or not.'),
  perSecond: z.number().nonnegative(),
  unsent: count,
  warmUp: count.describe('Left out of every figure but the series.'),
  outcomes: byOutcome(count),
  upstream: z
    .strictObject({ sends: count, toldBy: count, perOffered: z.number().nonnegative() })
    .nullable()
    .describe('Sends to replicas, of the requests whose answers told their tries; null when none did.'),
});

const goodput = z
  .strictObject({ good: count, share, perSecond: z.number().nonnegative() })
  .describe('Requests that were answered in full and met every SLO, as a share of the offered ones.');

const streams = z.strictObject({
  timeToFirstToken: distributionOrNull.describe('From the planned send.'),
  interToken: distributionOrNull.describe('Every gap between two tokens.'),
  timePerOutputToken: distributionOrNull.describe('(E2E - TTFT) / (tokens - 1) of each stream of two tokens or more.'),
});

const curvePoint = z.strictObject({
  share,
  latencyMs: msOrNull,
  serviceMs: msOrNull,
  timeToFirstTokenMs: msOrNull,
  interTokenMs: msOrNull,
});

const replica = z.strictObject({ name: z.string(), requests: count, share, p50Ms: msOrNull, p99Ms: msOrNull });

const timeSpent = z
  .strictObject({ count, lagMs: ms, queueMs: ms, upstreamMs: ms, gatewayMs: ms, bodyMs: ms })
  .describe('Means over the answered requests that told where their time went; they add up to the mean latency.');

const step = z.strictObject({
  fromMs: ms,
  offered: count,
  outcomes: byOutcome(count),
  good: count,
  inFlight: z.int().describe('Sent and not ended at the end of the step.'),
  p50Ms: msOrNull,
  p99Ms: msOrNull,
  maxMs: msOrNull,
  firstTokenP50Ms: msOrNull,
  firstTokenP99Ms: msOrNull,
});

const series = z
  .strictObject({ stepMs: ms, steps: z.array(step) })
  .describe('By planned instant, the warm-up included. Latencies are of answered requests alone, within 1 %.');

const band = z.strictObject({ name: z.string(), fromMs: ms, untilMs: ms });

/** What the values of metrics are measured in. */
export const units = ['ms', 'share', 'per second', 'count'] as const;

/** One of them. */
export type Unit = (typeof units)[number];

const assertion = z.strictObject({
  text: z.string(),
  unit: z.enum(units),
  value: z.number().nullable(),
  isMet: z.boolean(),
});

const slos = z.strictObject({
  latencyMs: msOrNull,
  timeToFirstTokenMs: msOrNull,
  interTokenMs: msOrNull,
  timePerOutputTokenMs: msOrNull,
});

/** The shape of summary.json. */
export const summarySchema = z.strictObject({
  version: z.literal(1),
  run,
  verdict,
  window: z.strictObject({ fromMs: ms, untilMs: ms }).describe('What is measured, since the start of the run.'),
  slos,
  requests,
  goodput,
  latency: byOutcome(distributionOrNull).describe('From the planned send to the end, each outcome by itself.'),
  service: distributionOrNull.describe('From the actual send to the end, of answered requests.'),
  scheduleLag: distributionOrNull.describe('From the planned send to the actual one, of all that were sent.'),
  streams,
  tokens: z.strictObject({ input: count, output: count, outputPerSecond: z.number().nonnegative() }),
  curve: z.array(curvePoint).describe('Quantiles of answered requests, as far as their number supports them.'),
  replicas: z.array(replica),
  withoutReplica: count.describe('Requests whose answers named no replica.'),
  timeSpent: timeSpent.nullable(),
  series,
  bands: z.array(band).describe('Faults and the warm-up: what was going on, and when.'),
  asserts: z.array(assertion),
  records: z.strictObject({ kept: count, of: count }),
});

/** All that is known of one run against one target. */
export type Summary = z.infer<typeof summarySchema>;

/** How some durations are spread. */
export type Distribution = z.infer<typeof distribution>;

/** Something that went on for a while, to be shaded in charts. */
export type Band = z.infer<typeof band>;

/** Where and with what a run was made. */
export type Environment = z.infer<typeof environment>;

/** One step of the series. */
export type SeriesStep = z.infer<typeof step>;

/** The JSON Schema of summary.json, for those who read it with other programs. */
export function summaryJsonSchema(): object {
  return { title: 'Headgate load-test summary', ...z.toJSONSchema(summarySchema, { target: 'draft-07' }) };
}
