import type { Clock } from '../kernel/clock.ts';
import { type HeaderList, headerInList } from '../pipeline/headers.ts';

/** How long a replica asks to be left alone: `retry-after` in seconds or as a date (RFC 9110 section 10.2.3), or the finer `retry-after-ms` of OpenAI; null where it does not say, or nothing that can be read. */
export function retryAfterMs(headers: HeaderList, clock: Clock): number | null {
  const fine = Number(headerInList(headers, 'retry-after-ms') ?? Number.NaN);
  if (fine >= 0) return fine;
  const told = headerInList(headers, 'retry-after');
  if (told === null) return null;
  const seconds = /^\s*\d+(?:\.\d+)?\s*$/.test(told) ? Number(told) : (Date.parse(told) - clock.wallMs()) / 1000;
  return Number.isNaN(seconds) ? null : Math.max(0, seconds * 1000);
}

/** The headers of a refusal, which say when to come again: as they do already, else after `waitMs`. */
export function withRetryAfter(headers: HeaderList, waitMs: number): HeaderList {
  if (headerInList(headers, 'retry-after') !== null) return headers;
  return [...headers, 'retry-after', String(Math.ceil(waitMs / 1000))];
}
