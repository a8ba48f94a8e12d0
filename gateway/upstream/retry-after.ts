import type { Clock } from '../kernel/clock.ts';
import { type HeaderList, headerInList, withoutHeaders } from '../pipeline/headers.ts';

/** How long a replica asks to be left alone: `retry-after` in seconds or as a date (RFC 9110 section 10.2.3), or the finer `retry-after-ms` of OpenAI; null where it does not say, or nothing that can be read. */
export function retryAfterMs(headers: HeaderList, clock: Clock): number | null {
  const fine = numberOf(headerInList(headers, 'retry-after-ms'));
  if (fine !== null) return fine;
  const told = headerInList(headers, 'retry-after');
  const seconds = numberOf(told);
  if (seconds !== null) return seconds * 1000;
  // Every form of an HTTP date begins with a day of the week; what else the parser would make a date of is none.
  const atMs = told !== null && /^\s*[a-z]/i.test(told) ? Date.parse(told) : Number.NaN;
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - clock.wallMs());
}

function numberOf(told: string | null): number | null {
  return told !== null && /^\s*\d+(?:\.\d+)?\s*$/.test(told) ? Number(told) : null;
}

/** The headers of a refusal, which say when to come again: as they do already where that can be read, else after `waitMs`. */
export function withRetryAfter(headers: HeaderList, waitMs: number, clock: Clock): HeaderList {
  if (retryAfterMs(headers, clock) !== null && headerInList(headers, 'retry-after') !== null) return headers;
  const others = withoutHeaders(headers, (name) => name === 'retry-after');
  return [...others, 'retry-after', String(Math.ceil(waitMs / 1000))];
}
