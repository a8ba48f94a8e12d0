import type { CacheSettings } from '../../../gateway/settings/settings.ts';

/** A cache for tests: little memory, and nothing shared with other gateways. */
export const smallCache: CacheSettings = {
  memoryBytes: 1 << 20,
  maxEntryBytes: 1 << 16,
  redis: null,
  waitMs: 50,
  prefix: 'headgate:',
};
