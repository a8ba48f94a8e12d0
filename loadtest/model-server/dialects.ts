import type { Load } from './load.ts';
import { type Family, prometheusText } from './prometheus-text.ts';
import type { TellingSettings } from './settings.ts';

type Labels = Readonly<Record<string, string>>;
type Entry = readonly [name: string, help: string, value: (load: Load) => number, labels?: Labels];

interface Dialect {
  /** What every sample is labelled with. */
  readonly labels: (model: string) => Labels;
  readonly entries: readonly Entry[];
}

const kvShare = ({ kv }: Load): number => (kv.capacityTokens === 0 ? 0 : kv.heldTokens / kv.capacityTokens);
const blocks = (tokens: number, { kv }: Load): number => (kv.blockTokens === 0 ? 0 : tokens / kv.blockTokens);
const running = (load: Load): number => load.running;
const waiting = (load: Load): number => load.waiting;
const microseconds = (ms: number): number => Math.round(1000 * ms);

/**
 * The names under which real servers tell how busy they are, read off their sources: vLLM `vllm/v1/metrics/loggers.py`, SGLang, Triton's
 * `docs/user_guide/metrics.md` and its TensorRT-LLM backend, text-generation-inference, llama.cpp's server. A name that ends in
 * `_total` is a counter, as are Triton's, which do not.
 */
const dialects: Readonly<Record<Exclude<TellingSettings['metrics'], 'none'>, Dialect>> = {
  vllm: {
    labels: (model) => ({ model_name: model, engine: '0' }),
    entries: [
      ['vllm:num_requests_running', 'Number of requests in model execution batches.', running],
      ['vllm:num_requests_waiting', 'Number of requests waiting to be processed.', waiting],
      ['vllm:kv_cache_usage_perc', 'KV-cache usage. 1 means 100 percent usage.', kvShare],
      ['vllm:prompt_tokens_total', 'Number of prefill tokens processed.', ({ done }) => done.promptTokens],
      ['vllm:generation_tokens_total', 'Number of generation tokens processed.', ({ done }) => done.generatedTokens],
      ['vllm:prefix_cache_queries_total', 'Prefix cache queries, in tokens.', ({ done }) => done.promptTokens],
      ['vllm:prefix_cache_hits_total', 'Prefix cache hits, in tokens.', ({ done }) => done.cachedTokens],
      ['vllm:num_preemptions_total', 'Cumulative number of preemptions.', () => 0],
      [
        'vllm:request_success_total',
        'Count of successfully processed requests.',
        ({ done }) => done.succeeded,
        { finished_reason: 'length' },
      ],
    ],
  },
  sglang: {
    labels: (model) => ({ model_name: model }),
    entries: [
      ['sglang:num_running_reqs', 'The number of running requests.', running],
      ['sglang:num_queue_reqs', 'The number of requests in the waiting queue.', waiting],
      ['sglang:token_usage', 'The token usage.', (load) => Math.round(100 * kvShare(load)) / 100],
      ['sglang:num_used_tokens', 'The number of used tokens.', ({ kv }) => kv.heldTokens],
      ['sglang:prompt_tokens_total', 'Number of prefill tokens processed.', ({ done }) => done.promptTokens],
      ['sglang:generation_tokens_total', 'Number of generation tokens processed.', ({ done }) => done.generatedTokens],
    ],
  },
  triton: {
    labels: (model) => ({ model, version: '1' }),
    entries: [
      ['nv_inference_pending_request_count', 'Number of requests awaiting execution.', waiting],
      ['nv_inference_request_success', 'Number of successful requests.', ({ done }) => done.succeeded],
      [
        'nv_inference_request_failure',
        'Number of failed requests.',
        ({ done }) => done.refused,
        { reason: 'REJECTED' },
      ],
      [
        'nv_inference_request_failure',
        'Number of failed requests.',
        ({ done }) => done.abandoned,
        { reason: 'CANCELED' },
      ],
      ['nv_inference_count', 'Number of inferences performed.', ({ done }) => done.rows],
      ['nv_inference_exec_count', 'Number of model executions performed.', ({ done }) => done.succeeded],
      ['nv_inference_queue_duration_us', 'Cumulative queuing time.', ({ done }) => microseconds(done.waitMs)],
      [
        'nv_inference_compute_infer_duration_us',
        'Cumulative compute inference time.',
        ({ done }) => microseconds(done.serviceMs),
      ],
      [
        'nv_inference_request_duration_us',
        'Cumulative request duration.',
        ({ done }) => microseconds(done.waitMs + done.serviceMs),
      ],
      ['nv_trt_llm_request_metrics', 'TRT LLM request metrics.', waiting, { request_type: 'waiting' }],
      ['nv_trt_llm_request_metrics', 'TRT LLM request metrics.', running, { request_type: 'scheduled' }],
      [
        'nv_trt_llm_kv_cache_block_metrics',
        'TRT LLM KV cache block metrics.',
        kvShare,
        { kv_cache_block_type: 'fraction' },
      ],
      [
        'nv_trt_llm_kv_cache_block_metrics',
        'TRT LLM KV cache block metrics.',
        ({ kv }) => kv.blockTokens,
        { kv_cache_block_type: 'tokens_per' },
      ],
      [
        'nv_trt_llm_kv_cache_block_metrics',
        'TRT LLM KV cache block metrics.',
        (load) => blocks(load.kv.capacityTokens, load),
        { kv_cache_block_type: 'max' },
      ],
      [
        'nv_trt_llm_kv_cache_block_metrics',
        'TRT LLM KV cache block metrics.',
        (load) => blocks(load.kv.heldTokens, load),
        { kv_cache_block_type: 'used' },
      ],
    ],
  },
  tgi: {
    labels: () => ({}),
    entries: [
      ['tgi_queue_size', 'Requests that wait.', waiting],
      ['tgi_batch_current_size', 'Requests in the running batch.', running],
      ['tgi_batch_current_max_tokens', 'Tokens the running batch may grow to.', ({ kv }) => kv.heldTokens],
      ['tgi_request_count', 'Requests.', ({ done }) => done.succeeded + done.refused + done.abandoned],
      ['tgi_request_success', 'Requests that succeeded.', ({ done }) => done.succeeded],
    ],
  },
  'llama-cpp': {
    labels: () => ({}),
    entries: [
      ['llamacpp:requests_processing', 'Number of requests processing.', running],
      ['llamacpp:requests_deferred', 'Number of requests deferred.', waiting],
      ['llamacpp:prompt_tokens_total', 'Number of prompt tokens processed.', ({ done }) => done.promptTokens],
      ['llamacpp:tokens_predicted_total', 'Number of generation tokens processed.', ({ done }) => done.generatedTokens],
    ],
  },
};

const countersWithoutTotal = /^(nv_inference_(?!pending)|tgi_request_)/;

/** What stands under /metrics; null where the server has no such page. */
export function metricsPage(dialect: TellingSettings['metrics'], model: string, load: Load): string | null {
  if (dialect === 'none') return null;
  const { labels, entries } = dialects[dialect];
  const byName = Map.groupBy(entries, ([name]) => name);
  const families = [...byName].map(([name, own]): Family => {
    const isCounter = name.endsWith('_total') || countersWithoutTotal.test(name);
    return {
      name,
      type: isCounter ? 'counter' : 'gauge',
      help: own[0]?.[1] ?? '',
      samples: own.map(([, , value, more]) => ({ labels: { ...labels(model), ...more }, value: value(load) })),
    };
  });
  if (dialect === 'vllm') families.push(cacheConfig(model, load));
  return prometheusText(families);
}

/** vLLM tells the size of its cache in labels. */
function cacheConfig(model: string, load: Load): Family {
  const blockCount = String(blocks(load.kv.capacityTokens, load));
  const labels = {
    model_name: model,
    engine: '0',
    block_size: String(load.kv.blockTokens),
    num_gpu_blocks: blockCount,
  };
  const help = 'Information of the LLMEngine CacheConfig.';
  return { name: 'vllm:cache_config_info', type: 'gauge', help, samples: [{ labels, value: 1 }] };
}
