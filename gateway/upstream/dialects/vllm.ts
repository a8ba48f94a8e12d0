import type { Dialect } from './dialect.ts';

/** vLLM (`vllm/v1/metrics/loggers.py`). `num_requests_waiting_by_reason` beside it splits the same count; the second name of the cache is that of versions before 0.9. */
export const vllm: Dialect = {
  queued: [{ name: 'vllm:num_requests_waiting' }],
  running: [{ name: 'vllm:num_requests_running' }],
  kvUsedShare: [{ name: 'vllm:kv_cache_usage_perc' }, { name: 'vllm:gpu_cache_usage_perc' }],
};
