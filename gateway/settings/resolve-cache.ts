import type { Resolving } from './resolving.ts';
import type { RawSettings } from './schema.ts';
import type { CacheSettings, RedisSettings, RouteCacheSettings } from './settings.ts';

type RawCache = RawSettings['cache'];
type RawRouteCache = RawSettings['routes'][number]['cache'];

const path = ['cache'] as const;

/** Where answers are kept. */
export function resolveCache(raw: RawCache, resolving: Resolving): CacheSettings {
  const { report, isFaulty } = resolving;
  if (raw.max_entry > raw.memory && !isFaulty([...path, 'memory']))
    report([...path, 'max_entry'], 'more than memory', 'at most cache.memory');
  return {
    memoryBytes: raw.memory,
    maxEntryBytes: raw.max_entry,
    redis: resolveRedis(raw, resolving),
    waitMs: raw.wait,
    prefix: raw.prefix,
  };
}

function resolveRedis({ redis = '', cluster }: RawCache, { report, isFaulty }: Resolving): RedisSettings | null {
  if (isFaulty([...path, 'redis'])) return null;
  const urls = redis.split(',').flatMap((one) => one.trim() || []);
  if (!urls.every(isRedisUrl))
    report([...path, 'redis'], 'something else', 'redis://host:port, with a /number behind it or not, or rediss://');
  if (urls.length > 1 && !cluster) report([...path, 'redis'], `${urls.length} URLs`, 'one, or cluster: true beside it');
  if (urls.length === 0 && cluster) report([...path, 'cluster'], 'true without redis', 'redis beside it');
  return urls.length === 0 ? null : { urls, isCluster: cluster };
}

function isRedisUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^rediss?:$/.test(url.protocol) && url.hostname !== '' && /^(?:\/\d*)?$/.test(url.pathname);
}

/** How a route keeps answers; null for not at all. */
export function resolveRouteCache(raw: RawRouteCache): RouteCacheSettings | null {
  if (raw === undefined) return null;
  return {
    freshMs: raw.fresh,
    staleWhileRevalidateMs: raw.stale_while_revalidate,
    staleIfErrorMs: raw.stale_if_error,
    isForEveryone: raw.share === 'everyone',
    revision: raw.revision,
    isForSampled: raw.sampled,
  };
}
