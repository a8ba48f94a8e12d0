import { isDeepStrictEqual } from 'node:util';
import type { CacheSettings, ListenSettings, Settings } from './settings.ts';

type AdminSettings = Settings['admin'];

/** What is read at the start only, and how the file calls it. */
const listenKeys = {
  host: 'host',
  port: 'port',
  maxBodyBytes: 'max_body',
  maxBufferedBytes: 'max_buffered',
  drainMs: 'drain',
  graceMs: 'grace',
  reusePort: 'reuse_port',
  zone: 'zone',
} as const satisfies Record<keyof ListenSettings, string>;

const adminKeys = { host: 'host', port: 'port', token: 'token' } as const satisfies Record<keyof AdminSettings, string>;

const cacheKeys = {
  memoryBytes: 'memory',
  maxEntryBytes: 'max_entry',
  redis: 'redis',
  waitMs: 'wait',
  prefix: 'prefix',
} as const satisfies Record<keyof CacheSettings, string>;

/** Settings as far as they can be had without a restart, and the keys that would need one. */
export interface WithoutRestart {
  readonly settings: Settings;
  /** `listen.port` and so on, where what is wanted is another than what is in force. */
  readonly needsRestart: readonly string[];
}

/** Takes over from the settings in force what is read at the start only: both ports, and where answers are kept. */
export function withoutRestart(wanted: Settings, inForce: Settings): WithoutRestart {
  const { listen, admin, cache } = inForce;
  const needsRestart = [
    ...changedKeys('listen', listenKeys, wanted.listen, listen),
    ...changedKeys('admin', adminKeys, wanted.admin, admin),
    ...changedKeys('cache', cacheKeys, wanted.cache, cache),
  ];
  return { settings: { ...wanted, listen, admin, cache }, needsRestart };
}

function changedKeys<T extends object>(
  section: string,
  keys: Readonly<Record<keyof T, string>>,
  wanted: T,
  inForce: T,
): string[] {
  return (Object.entries(keys) as [keyof T, string][]).flatMap(([field, key]) =>
    isDeepStrictEqual(wanted[field], inForce[field]) ? [] : [`${section}.${key}`],
  );
}
