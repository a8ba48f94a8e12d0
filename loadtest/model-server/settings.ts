import { z } from 'zod';
import {
  choiceField,
  durationField,
  flagField,
  listOf,
  mapping,
  textField,
  wholeField,
} from '../../gateway/settings/fields.ts';
import { type FaultSettings, faultSchema } from './fault-settings.ts';
import { type LatencyProfile, latencyProfiles } from './latency-profiles.ts';
import { numberField } from './share-field.ts';
import type { WorkTimeSettings } from './work-time.ts';

export { type FaultSettings, faultSchema } from './fault-settings.ts';

/** One simulated server: complete, with units. Everything but `kind` has a default. */
export type ServerSettings = TensorSettings | LlmSettings;

interface Shared {
  /** What it calls itself in every answer. */
  readonly name: string;
  readonly models: readonly string[];
  /** Requests that may wait; Infinity for no bound. */
  readonly maxQueue: number;
  /** What is said to those beyond. */
  readonly refusalStatus: 503 | 429;
  readonly tells: TellingSettings;
  readonly faults: readonly FaultSettings[];
}

/** How it tells its load. */
export interface TellingSettings {
  readonly metrics: (typeof metricsDialects)[number];
  readonly orca: (typeof orcaFormats)[number];
  readonly orcaNames: (typeof orcaNamings)[number];
}

/** A server of the Open Inference Protocol. */
export interface TensorSettings extends Shared {
  readonly kind: 'tensor';
  readonly slots: number;
  readonly service: WorkTimeSettings;
  /** Numbers in each row of its answer. */
  readonly columns: number;
}

/** A server of the OpenAI API. */
export interface LlmSettings extends Shared {
  readonly kind: 'llm';
  readonly latency: LatencyProfile;
  readonly blockTokens: number;
  readonly isCachingPrefixes: boolean;
  /** The length of an answer where the request names none. */
  readonly outputTokens: number;
  readonly streamHead: 'at_once' | 'first_token';
}

/** Whose Prometheus names it uses. */
export const metricsDialects = ['vllm', 'sglang', 'triton', 'tgi', 'llama-cpp', 'none'] as const;
/** How its load report is written: as asked for, always in one format, or never. */
export const orcaFormats = ['asked', 'text', 'json', 'bin', 'none'] as const;
/** Whose names stand in it. */
export const orcaNamings = ['headgate', 'vllm', 'triton'] as const;

const noServer = 'no server, since it is the one this stands under';

const shared = {
  name: textField('a name').default('simulated').describe('What it calls itself in every answer.'),
  models: listOf(textField('a model name'), 'a list of model names')
    .min(1, { error: 'at least one model name' })
    .default(['simulated'])
    .describe('The models it serves.'),
  queue: mapping({
    max: wholeField(0).optional().describe('Requests that may wait; absent: without bound.'),
    refusal: z.literal([503, 429], { error: '503 or 429' }).default(503).describe('The status for those beyond.'),
  })
    .prefault({})
    .describe('Its waiting line.'),
  faults: listOf(faultSchema, 'a list of faults')
    .superRefine((faults, context) => {
      // Of a fault that is faulty itself, it may not be there.
      for (const [at, { server }] of faults.entries())
        if (typeof server === 'string') context.addIssue({ code: 'custom', path: [at, 'server'], message: noServer });
    })
    .default([])
    .describe('What goes wrong, and when.'),
};

const tells = (metrics: TellingSettings['metrics'], names: TellingSettings['orcaNames']) =>
  mapping({
    metrics: choiceField(metricsDialects).default(metrics).describe('Whose Prometheus names stand under /metrics.'),
    orca: choiceField(orcaFormats).default('asked').describe('The format of the header endpoint-load-metrics.'),
    orca_names: choiceField(orcaNamings).default(names).describe('Whose names stand in that header.'),
  })
    .prefault({})
    .describe('How it tells its load.');

const service = z
  .discriminatedUnion(
    'time',
    [
      mapping({ time: z.literal('fixed'), mean: durationField().describe('The time of every request.') }),
      mapping({ time: z.literal('exponential'), mean: durationField().describe('The mean time.') }),
      mapping({
        time: z.literal('lognormal'),
        mean: durationField().describe('The mean time.'),
        variation: numberField(0, 'a number from 0').describe('Standard deviation over mean.'),
      }),
      mapping({
        time: z.literal('by_rows'),
        base: durationField().prefault('0ms').describe('What each request takes.'),
        per_row: durationField().describe('What each of its rows takes besides.'),
      }),
    ],
    { error: 'one of fixed, exponential, lognormal, by_rows' },
  )
  .transform((raw): WorkTimeSettings => {
    if (raw.time === 'by_rows') return { time: raw.time, baseMs: raw.base, perRowMs: raw.per_row };
    if (raw.time === 'lognormal') return { time: raw.time, meanMs: raw.mean, variation: raw.variation };
    return { time: raw.time, meanMs: raw.mean };
  });

const tensor = mapping({
  kind: z.literal('tensor'),
  ...shared,
  tells: tells('triton', 'headgate'),
  slots: wholeField(1, 65_536).default(1).describe('Requests it computes at once.'),
  service: service.prefault({ time: 'fixed', mean: '10ms' }).describe('How long it computes for one request.'),
  columns: wholeField(1, 1_000_000).default(1).describe('Numbers in each row of its answer.'),
});

const latencyNames = Object.keys(latencyProfiles) as [
  keyof typeof latencyProfiles,
  ...(keyof typeof latencyProfiles)[],
];

const llm = mapping({
  kind: z.literal('llm'),
  ...shared,
  tells: tells('vllm', 'vllm'),
  like: choiceField(latencyNames)
    .default('8b-h100')
    .describe('The model and hardware that absent keys are taken from.'),
  prefill: mapping({
    base: durationField().optional().describe('Until the first token, whatever the prompt.'),
    per_token: durationField().optional().describe('And for each token of it that is not in the prefix cache.'),
    spread: durationField().optional().describe('Standard deviation of the whole.'),
  })
    .prefault({})
    .describe('The time to the first token.'),
  inter_token: mapping({
    mean: durationField().optional().describe('From one token to the next, where a sequence runs alone.'),
    spread: durationField().optional().describe('Its standard deviation.'),
  })
    .prefault({})
    .describe('The time between tokens.'),
  full_batch: numberField(1, 'a number from 1')
    .optional()
    .describe('How many times as long it all takes where the batch is full.'),
  sequences: wholeField(1, 65_536).optional().describe('Sequences that run at once.'),
  kv_tokens: wholeField(1).optional().describe('Tokens whose keys and values it can hold.'),
  block_tokens: wholeField(1, 65_536).default(16).describe('Tokens in a block of that cache.'),
  prefix_cache: flagField().default(true).describe('Whether blocks are found again by later prompts.'),
  output_tokens: wholeField(1, 1_000_000).default(128).describe('Length of an answer where the request names none.'),
  stream_head: choiceField(['at_once', 'first_token'])
    .default('first_token')
    .describe(
      'When the head of a stream is sent: vLLM sends it at once; with the first token it can tell how long the request waited.',
    ),
});

/** A simulated server as users write it, made into what it means. */
export const serverSchema = z
  .discriminatedUnion('kind', [tensor, llm], { error: 'one of tensor, llm' })
  .transform((raw): ServerSettings => (raw.kind === 'tensor' ? tensorOf(raw) : llmOf(raw)));

/** A simulated server of a scenario, which says where it listens. */
export type PlacedServerSettings = ServerSettings & { readonly port: number };

const port = wholeField(1, 65_535).describe('Where it listens, on 127.0.0.1.');

/** The same as users write it in a scenario. */
export const placedServerSchema = z
  .discriminatedUnion('kind', [tensor.extend({ port }), llm.extend({ port })], { error: 'one of tensor, llm' })
  .transform(({ port: at, ...raw }): PlacedServerSettings => {
    return { ...(raw.kind === 'tensor' ? tensorOf(raw) : llmOf(raw)), port: at };
  });

function tensorOf(raw: z.output<typeof tensor>): TensorSettings {
  const { slots, service: time, columns } = raw;
  return { kind: 'tensor', ...sharedOf(raw), slots, service: time, columns };
}

function llmOf(raw: z.output<typeof llm>): LlmSettings {
  const like = latencyProfiles[raw.like];
  const { base, per_token: perToken, spread } = raw.prefill;
  return {
    kind: 'llm',
    ...sharedOf(raw),
    latency: {
      prefill: {
        baseMs: base ?? like.prefill.baseMs,
        perTokenMs: perToken ?? like.prefill.perTokenMs,
        spreadMs: spread ?? like.prefill.spreadMs,
      },
      interToken: {
        meanMs: raw.inter_token.mean ?? like.interToken.meanMs,
        spreadMs: raw.inter_token.spread ?? like.interToken.spreadMs,
      },
      fullBatchFactor: raw.full_batch ?? like.fullBatchFactor,
      maxSequences: raw.sequences ?? like.maxSequences,
      kvTokens: raw.kv_tokens ?? like.kvTokens,
    },
    blockTokens: raw.block_tokens,
    isCachingPrefixes: raw.prefix_cache,
    outputTokens: raw.output_tokens,
    streamHead: raw.stream_head,
  };
}

function sharedOf({
  name,
  models,
  queue,
  tells: told,
  faults,
}: z.output<typeof tensor> | z.output<typeof llm>): Shared {
  return {
    name,
    models,
    maxQueue: queue.max ?? Number.POSITIVE_INFINITY,
    refusalStatus: queue.refusal,
    tells: { metrics: told.metrics, orca: told.orca, orcaNames: told.orca_names },
    faults,
  };
}
