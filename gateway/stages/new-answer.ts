import { freshnessOf } from '../cache/freshness.ts';
import { headerLines, keptHeaders, whyNotStored } from '../cache/storable.ts';
import { type CacheEntry, newEntry } from '../cache/store.ts';
import type { HeaderList } from '../pipeline/headers.ts';
import type { Protocol } from '../pipeline/protocol.ts';
import type { FreshnessRules } from '../pipeline/sharing.ts';

interface Came {
  readonly status: number;
  readonly headers: HeaderList;
  /** All of it. */
  readonly body: Uint8Array;
}

/** A whole answer as it is kept from now on, an instant of the clock's `wallMs`; null where it must not be given again. */
export function newAnswer(came: Came, protocol: Protocol, rules: FreshnessRules, nowMs: number): CacheEntry | null {
  const { headers, body } = came;
  const whole = { ...came, end: 'complete' } as const;
  if (whyNotStored(whole, Number.POSITIVE_INFINITY) !== null || !protocol.isRepeatable(headers, body)) return null;
  return newEntry(keptHeaders(headers), body, freshnessOf(rules, headerLines(headers, 'cache-control'), nowMs));
}
