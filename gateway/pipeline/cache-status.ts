import type { CacheOutcome } from './sharing.ts';

/** The value of `cache-status` (RFC 9211). A hit tells how many seconds it is fresh, below zero since when it is not. */
export function cacheStatus(outcome: CacheOutcome, wallMs: number): string {
  if (outcome.kind === 'hit') return `headgate; hit; ttl=${Math.floor((outcome.freshUntilMs - wallMs) / 1000)}`;
  const { why, isStored = false, isCollapsed = false } = outcome;
  return `headgate; fwd=${why}${isStored ? '; stored' : ''}${isCollapsed ? '; collapsed' : ''}`;
}
