import fc from 'fast-check';
import { freshnessOf } from '../../../gateway/cache/freshness.ts';
import { type CacheEntry, newEntry } from '../../../gateway/cache/store.ts';
import type { FreshnessRules } from '../../../gateway/pipeline/sharing.ts';
import { keyOf } from './asked.ts';

const rules: FreshnessRules = { freshMs: 60_000, staleWhileRevalidateMs: 10_000, staleIfErrorMs: 30_000 };

/** An answer that says so, kept at an instant of the clock's `wallMs`. */
export function entryOf(body: string | Uint8Array, nowMs: number, own: Partial<FreshnessRules> = {}): CacheEntry {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return newEntry(
    ['content-type', 'application/json', 'x-é', 'ü'],
    bytes,
    freshnessOf({ ...rules, ...own }, null, nowMs),
  );
}

/** The key of a request of a tenant to a model; numbers tell requests apart. */
export function keyAt(number: number, { model = 'm', tenant = 't' } = {}): string {
  const key = keyOf({ model, tenant, body: `{"inputs":[${number}]}` });
  if (key === null) throw new Error('no key');
  return key;
}

/** What may be in the body of an answer. */
export const bodies: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 4, arbitrary: fc.uint8Array({ maxLength: 3000 }) },
  { weight: 1, arbitrary: fc.nat(200_000).map((sizeBytes) => Buffer.alloc(sizeBytes, 'canal')) },
);

/** The headers of an answer, as they come over the wire. */
export const headerLists: fc.Arbitrary<string[]> = fc
  .array(fc.tuple(fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/), fc.stringMatching(/^[ -~\u00a0-\u00ff]{0,20}$/)), {
    maxLength: 6,
  })
  .map((headers) => headers.flat());
