import type { Dialect } from './dialect.ts';

/** Text Generation Inference. */
export const tgi: Dialect = {
  queued: [{ name: 'tgi_queue_size' }],
  running: [{ name: 'tgi_batch_current_size' }],
  kvUsedShare: [],
};
