import { z } from 'zod';
import { durationField, mapping, periodField, textField, wholeField } from '../../gateway/settings/fields.ts';
import { numberField, shareField } from './share-field.ts';

/** Something that goes wrong with a simulated server, and when. */
export type FaultSettings = When & Trouble;

interface When {
  /** Which one, where there are several; null for the one it is written under, and for all in a scenario. */
  readonly server: string | null;
  /** After its start. */
  readonly atMs: number;
  /** Infinity for the rest of its life. */
  readonly untilMs: number;
}

/** What goes wrong. A `share` is that of the requests which come meanwhile, drawn one by one. */
export type Trouble =
  /** Everything takes `by` times as long. */
  | { readonly kind: 'slow'; readonly by: number }
  /** It stands still, and goes on afterwards where it was. */
  | { readonly kind: 'pause' }
  /** It answers at once with an error. */
  | { readonly kind: 'fail'; readonly share: number; readonly status: number; readonly retryAfterMs: number | null }
  /** It cuts the connection: at once, or after some tokens of the answer. */
  | { readonly kind: 'reset'; readonly share: number; readonly afterTokens: number | null }
  /** It begins to answer, and falls silent. */
  | { readonly kind: 'stall'; readonly share: number; readonly afterTokens: number }
  /** It takes requests and never answers them. */
  | { readonly kind: 'hang'; readonly share: number }
  /** Its port is closed; what runs goes on. */
  | { readonly kind: 'refuse' }
  /** It answers, but with 503 as long as it has no model. */
  | { readonly kind: 'cold_start' }
  /** It is told that it must end, and does `noticeMs` later, with everything in it. */
  | { readonly kind: 'interruption'; readonly noticeMs: number };

const times = {
  server: textField('the name of a server')
    .optional()
    .describe('Which server, in a scenario with several. Absent: all of them.'),
  at: durationField().prefault('0s').describe('When it begins, after the start of the server.'),
  for: periodField().optional().describe('How long it lasts. Absent: for ever.'),
};
const share = shareField().prefault('100%').describe('How many of the requests that come meanwhile.');

const slow = mapping({
  kind: z.literal('slow'),
  ...times,
  by: numberField(1, 'a number from 1').describe('How many times as long everything takes.'),
});
const pause = mapping({ kind: z.literal('pause'), ...times });
const fail = mapping({
  kind: z.literal('fail'),
  ...times,
  share,
  status: wholeField(400, 599).default(500).describe('The status of the answer.'),
  retry_after: durationField().optional().describe('What its Retry-After says, in whole seconds. Absent: none.'),
});
const reset = mapping({
  kind: z.literal('reset'),
  ...times,
  share,
  after_tokens: wholeField(1, 1_000_000)
    .optional()
    .describe('How many tokens come first; of an answer that is no stream, half of it. Absent: nothing comes.'),
});
const stall = mapping({
  kind: z.literal('stall'),
  ...times,
  share,
  after_tokens: wholeField(1, 1_000_000)
    .default(1)
    .describe('How many tokens come first; of an answer that is no stream, half of it.'),
});
const hang = mapping({ kind: z.literal('hang'), ...times, share });
const refuse = mapping({ kind: z.literal('refuse'), ...times });
const coldStart = mapping({ kind: z.literal('cold_start'), ...times });
const interruption = mapping({
  kind: z.literal('interruption'),
  ...times,
  at: times.at.describe('When the notice comes, after the start of the server.'),
  for: times.for.describe('How long it stays dead. Absent: for ever.'),
  notice: durationField().prefault('2m').describe('From the notice to the end; 0s for none. EC2 gives 2 minutes.'),
});

/** A fault as users write it, made into what it means. */
export const faultSchema = z
  .discriminatedUnion('kind', [slow, pause, fail, reset, stall, hang, refuse, coldStart, interruption], {
    error: 'one of slow, pause, fail, reset, stall, hang, refuse, cold_start, interruption',
  })
  .transform((raw): FaultSettings => {
    const atMs = raw.at + (raw.kind === 'interruption' ? raw.notice : 0);
    const server = raw.server ?? null;
    return { server, atMs: raw.at, untilMs: atMs + (raw.for ?? Number.POSITIVE_INFINITY), ...troubleOf(raw) };
  });

type RawFault =
  | z.output<typeof slow>
  | z.output<typeof pause>
  | z.output<typeof fail>
  | z.output<typeof reset>
  | z.output<typeof stall>
  | z.output<typeof hang>
  | z.output<typeof refuse>
  | z.output<typeof coldStart>
  | z.output<typeof interruption>;

function troubleOf(raw: RawFault): Trouble {
  switch (raw.kind) {
    case 'slow':
      return { kind: 'slow', by: raw.by };
    case 'fail':
      return { kind: 'fail', share: raw.share, status: raw.status, retryAfterMs: raw.retry_after ?? null };
    case 'reset':
      return { kind: 'reset', share: raw.share, afterTokens: raw.after_tokens ?? null };
    case 'stall':
      return { kind: 'stall', share: raw.share, afterTokens: raw.after_tokens };
    case 'hang':
      return { kind: 'hang', share: raw.share };
    case 'interruption':
      return { kind: 'interruption', noticeMs: raw.notice };
    default:
      return { kind: raw.kind };
  }
}
