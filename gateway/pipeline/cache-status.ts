import type { CacheOutcome } from './sharing.ts';

/**
 * The value of `cache-status` (RFC 9211). What was kept tells how many seconds it is fresh, below zero since when it is not; it is no hit where a new
 * answer was asked for in vain.
 */
export function cacheStatus(outcome: CacheOutcome, wallMs: number): string {
  if (outcome.kind === 'hit') {
    const { isStale, isInstead = false, freshUntilMs } = outcome;
    return `headgate; ${isStale && isInstead ? 'fwd=stale' : 'hit'}; ttl=${Math.floor((freshUntilMs - wallMs) / 1000)}`;
  }
  const { why, isStored = false, isCollapsed = false } = outcome;
  return `headgate; fwd=${why}${isStored ? '; stored' : ''}${isCollapsed ? '; collapsed' : ''}`;
}
