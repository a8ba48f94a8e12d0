import type { HeaderList } from '../pipeline/headers.ts';
import type { BodyEnd } from '../pipeline/reply.ts';
import { directives } from './freshness.ts';

/** An answer as it came. */
export interface Answer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  readonly end: BodyEnd;
}

/** Why an answer is not kept. */
export type Unstorable =
  | 'status'
  | 'partial'
  | 'cookie'
  | 'varies'
  | 'not_batch_invariant'
  | 'cache_control'
  | 'cut_off'
  | 'too_large';

/** What the head of an answer says against giving it to anybody but who asked; null for nothing. */
export function whyNotShared(status: number, headers: HeaderList): Unstorable | null {
  if (status !== 200) return 'status';
  if (headerLines(headers, 'content-range') !== null) return 'partial';
  if (headerLines(headers, 'set-cookie') !== null) return 'cookie';
  if (headerLines(headers, 'vary')?.includes('*')) return 'varies';
  if (headerLines(headers, 'x-headgate-batch-invariant')?.includes('false')) return 'not_batch_invariant';
  return forbidsSharing(headers) ? 'cache_control' : null;
}

/** The same of a whole answer, and what speaks against keeping it. */
export function whyNotStored({ status, headers, body, end }: Answer, maxBytes: number): Unstorable | null {
  const why = whyNotShared(status, headers);
  if (why !== null) return why;
  const length = headerLines(headers, 'content-length');
  if (end !== 'complete' || (length !== null && Number(length) !== body.length)) return 'cut_off';
  return body.length > maxBytes ? 'too_large' : null;
}

function forbidsSharing(headers: HeaderList): boolean {
  const said = directives(headerLines(headers, 'cache-control'));
  if (said.has('no-store') || said.has('private')) return true;
  if (Number(said.get('s-maxage') ?? said.get('max-age') ?? 1) <= 0) return true;
  // Frameworks put it on every stream of events, lest a proxy holds it back.
  return said.has('no-cache') && !/^text\/event-stream/i.test(headerLines(headers, 'content-type') ?? '');
}

/** The values of a header, all of them, or null. */
export function headerLines(headers: HeaderList, name: string): string | null {
  const values = headers.filter((_, at) => at % 2 === 1 && headers[at - 1]?.toLowerCase() === name);
  return values.length === 0 ? null : values.join(', ');
}

/** What speaks of one exchange and not of its answer, or is said anew whenever it is given. */
const ofOneExchange = new Set([
  'age',
  'cache-control',
  'cache-status',
  'connection',
  'content-length',
  'date',
  'etag',
  'expires',
  'last-modified',
  'openai-processing-ms',
  'retry-after',
  'server-timing',
]);

/** The headers of an answer that are kept with it, names in lower case. */
export function keptHeaders(headers: HeaderList): HeaderList {
  const kept: HeaderList = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const [name = '', value = ''] = [headers[at]?.toLowerCase(), headers[at + 1]];
    if (!ofOneExchange.has(name) && !/^x-(?:ratelimit|headgate)-/.test(name)) kept.push(name, value);
  }
  return kept;
}
