import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metricsPage } from '../../../loadtest/model-server/dialects.ts';
import type { Load } from '../../../loadtest/model-server/load.ts';
import { metricsDialects } from '../../../loadtest/model-server/settings.ts';
import { readPrometheus } from '../../support/prometheus.ts';

const load: Load = {
  slots: 16,
  running: 3,
  waiting: 7,
  kv: { blockTokens: 16, capacityTokens: 1600, heldTokens: 416 },
  done: {
    succeeded: 11,
    refused: 2,
    abandoned: 1,
    rows: 40,
    promptTokens: 900,
    cachedTokens: 320,
    generatedTokens: 77,
    waitMs: 1.5,
    serviceMs: 20,
  },
};

type Row = readonly [name: string, value: number, labels?: Readonly<Record<string, string>>];

/** What scrapers look for: the table "signal" of the Gateway API's model server protocol, and the servers' own documents. */
const wanted: Readonly<Record<Exclude<(typeof metricsDialects)[number], 'none'>, readonly Row[]>> = {
  vllm: [
    ['vllm:num_requests_waiting', 7, { model_name: 'm', engine: '0' }],
    ['vllm:num_requests_running', 3],
    ['vllm:kv_cache_usage_perc', 0.26],
    ['vllm:cache_config_info', 1, { block_size: '16', num_gpu_blocks: '100' }],
    ['vllm:prompt_tokens_total', 900],
    ['vllm:generation_tokens_total', 77],
    ['vllm:prefix_cache_queries_total', 900],
    ['vllm:prefix_cache_hits_total', 320],
    ['vllm:request_success_total', 11, { finished_reason: 'length' }],
    ['vllm:num_preemptions_total', 0],
  ],
  sglang: [
    ['sglang:num_queue_reqs', 7, { model_name: 'm' }],
    ['sglang:num_running_reqs', 3],
    ['sglang:token_usage', 0.26],
    ['sglang:num_used_tokens', 416],
    ['sglang:prompt_tokens_total', 900],
    ['sglang:generation_tokens_total', 77],
  ],
  triton: [
    ['nv_inference_pending_request_count', 7, { model: 'm', version: '1' }],
    ['nv_inference_request_success', 11],
    ['nv_inference_request_failure', 2, { reason: 'REJECTED' }],
    ['nv_inference_request_failure', 1, { reason: 'CANCELED' }],
    ['nv_inference_count', 40],
    ['nv_inference_exec_count', 11],
    ['nv_inference_queue_duration_us', 1500],
    ['nv_inference_compute_infer_duration_us', 20_000],
    ['nv_inference_request_duration_us', 21_500],
    ['nv_trt_llm_request_metrics', 7, { request_type: 'waiting' }],
    ['nv_trt_llm_request_metrics', 3, { request_type: 'scheduled' }],
    ['nv_trt_llm_kv_cache_block_metrics', 0.26, { kv_cache_block_type: 'fraction' }],
    ['nv_trt_llm_kv_cache_block_metrics', 16, { kv_cache_block_type: 'tokens_per' }],
    ['nv_trt_llm_kv_cache_block_metrics', 100, { kv_cache_block_type: 'max' }],
    ['nv_trt_llm_kv_cache_block_metrics', 26, { kv_cache_block_type: 'used' }],
  ],
  tgi: [
    ['tgi_queue_size', 7],
    ['tgi_batch_current_size', 3],
    ['tgi_batch_current_max_tokens', 416],
    ['tgi_request_count', 14],
    ['tgi_request_success', 11],
  ],
  'llama-cpp': [
    ['llamacpp:requests_deferred', 7],
    ['llamacpp:requests_processing', 3],
    ['llamacpp:prompt_tokens_total', 900],
    ['llamacpp:tokens_predicted_total', 77],
  ],
};

for (const [dialect, rows] of Object.entries(wanted)) {
  test(`the metrics page of ${dialect}, read as Prometheus reads it, has these names, labels and values and no others`, () => {
    const page = metricsPage(dialect as keyof typeof wanted, 'm', load) ?? '';
    const families = readPrometheus(page);
    for (const [name, value, labels = {}] of rows) {
      const samples = families.get(name)?.samples ?? [];
      const fits = samples.filter((one) => Object.entries(labels).every(([key, text]) => one.labels[key] === text));
      assert.deepEqual(
        fits.map((one) => one.value),
        [value],
        `${name} ${JSON.stringify(labels)}`,
      );
    }
    const count = [...families.values()].reduce((sum, { samples }) => sum + samples.length, 0);
    assert.equal(count, rows.length);
  });
}

test('what only grows is a counter, what goes up and down a gauge', () => {
  for (const dialect of metricsDialects) {
    for (const [name, { type }] of readPrometheus(metricsPage(dialect, 'm', load) ?? '')) {
      const grows = /_total$|_success$|_failure$|_count$|_duration_us$/.test(name) && !/pending/.test(name);
      assert.equal(type, grows ? 'counter' : 'gauge', name);
    }
  }
});

test('a model name may hold what labels must escape', () => {
  const [sample] = readPrometheus(metricsPage('sglang', 'a"b\\c', load) ?? '').get('sglang:token_usage')?.samples ?? [];
  assert.equal(sample?.labels.model_name, 'a"b\\c');
});

test('a server without a metrics page has none', () => {
  assert.equal(metricsPage('none', 'm', load), null);
});
