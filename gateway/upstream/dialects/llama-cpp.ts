import type { Dialect } from './dialect.ts';

/** The server of llama.cpp, started with `--metrics`; only earlier builds tell how full the cache is. */
export const llamaCpp: Dialect = {
  queued: [{ name: 'llamacpp:requests_deferred' }],
  running: [{ name: 'llamacpp:requests_processing' }],
  kvUsedShare: [{ name: 'llamacpp:kv_cache_usage_ratio' }],
};
