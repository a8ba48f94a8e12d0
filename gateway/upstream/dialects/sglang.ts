import type { Dialect } from './dialect.ts';

/** SGLang, started with `--enable-metrics`; with an underscore where it writes its metrics itself. */
export const sglang: Dialect = {
  queued: [{ name: 'sglang:num_queue_reqs' }, { name: 'sglang_num_queue_reqs' }],
  running: [{ name: 'sglang:num_running_reqs' }, { name: 'sglang_num_running_reqs' }],
  kvUsedShare: [{ name: 'sglang:token_usage' }, { name: 'sglang_token_usage' }],
};
