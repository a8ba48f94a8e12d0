import type { Dialect } from './dialect.ts';

/** Triton. Its TensorRT-LLM backend takes requests in at once, and only it knows how many wait and run; of other models Triton tells those it has not yet handed on. */
export const triton: Dialect = {
  queued: [
    { name: 'nv_trt_llm_request_metrics', label: ['request_type', 'waiting'] },
    { name: 'nv_inference_pending_request_count' },
  ],
  running: [{ name: 'nv_trt_llm_request_metrics', label: ['request_type', 'scheduled'] }],
  kvUsedShare: [{ name: 'nv_trt_llm_kv_cache_block_metrics', label: ['kv_cache_block_type', 'fraction'] }],
};
