import type { Headers } from '../pipeline/headers.ts';
import type { FreshnessRules, Wish } from '../pipeline/sharing.ts';

/** How old an answer is and may grow. Instants of the clock's `wallMs`: other machines read them. */
export interface Freshness {
  readonly storedAtMs: number;
  readonly freshUntilMs: number;
  readonly revalidateUntilMs: number;
  readonly ifErrorUntilMs: number;
}

/** What an answer is still good for: for everybody; for everybody while one asks for a new one; only where a new one cannot be had; for nothing. */
export type Use = 'fresh' | 'while_revalidating' | 'if_error' | 'none';

/** The freshness of an answer that is stored now. Where its own `cache-control` allows less than the route, that holds. */
export function freshnessOf(rules: FreshnessRules, cacheControl: string | null, nowMs: number): Freshness {
  const said = directives(cacheControl);
  const seconds = Number(said.get('s-maxage') ?? said.get('max-age') ?? Number.NaN);
  const freshMs = Number.isNaN(seconds) ? rules.freshMs : Math.min(rules.freshMs, seconds * 1000);
  const mayBeStale = !said.has('must-revalidate') && !said.has('proxy-revalidate');
  const freshUntilMs = nowMs + freshMs;
  return {
    storedAtMs: nowMs,
    freshUntilMs,
    revalidateUntilMs: freshUntilMs + (mayBeStale ? rules.staleWhileRevalidateMs : 0),
    ifErrorUntilMs: freshUntilMs + (mayBeStale ? rules.staleIfErrorMs : 0),
  };
}

/** What an answer is good for at this instant. */
export function useOf({ freshUntilMs, revalidateUntilMs, ifErrorUntilMs }: Freshness, nowMs: number): Use {
  if (nowMs < freshUntilMs) return 'fresh';
  if (nowMs < revalidateUntilMs) return 'while_revalidating';
  return nowMs < ifErrorUntilMs ? 'if_error' : 'none';
}

/** From then on it is good for nothing. */
export function usableUntilMs({ revalidateUntilMs, ifErrorUntilMs }: Freshness): number {
  return Math.max(revalidateUntilMs, ifErrorUntilMs);
}

/** What a client wants to have to do with answers that are kept. */
export function wishOf(headers: Headers): Wish {
  const value = headers['cache-control'];
  if (value === undefined) return 'any';
  const said = directives(String(value));
  if (said.has('no-store')) return 'private';
  return said.has('no-cache') || said.get('max-age') === '0' ? 'new' : 'any';
}

/** The directives of a `cache-control` (RFC 9111 section 5.2), names in lower case; empty for one without a value. */
export function directives(cacheControl: string | null): ReadonlyMap<string, string> {
  const all = (cacheControl ?? '').matchAll(/([^\s,;="]+)(?:\s*=\s*(?:"([^"]*)"|([^\s,;"]*)))?/g);
  return new Map([...all].map(([, name = '', quoted, plain]) => [name.toLowerCase(), quoted ?? plain ?? '']));
}

/** Whether a client already has this answer (RFC 9110 section 13.1.2): weak comparison, or `*` for any. */
export function isKnown(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false;
  if (ifNoneMatch.trim() === '*') return true;
  const opaque = etag.replace(/^W\//, '');
  return [...ifNoneMatch.matchAll(/"[^"]*"/g)].some(([known]) => known === opaque);
}
