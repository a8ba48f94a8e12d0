/** How fast a model is on some hardware, and how much it holds. */
export interface LatencyProfile {
  /** The first token comes after `baseMs` and `perTokenMs` for each token of the prompt that is not in the prefix cache. */
  readonly prefill: { readonly baseMs: number; readonly perTokenMs: number; readonly spreadMs: number };
  /** From one token of a sequence to the next. */
  readonly interToken: { readonly meanMs: number; readonly spreadMs: number };
  /** All of this takes so many times as long where the batch is full. */
  readonly fullBatchFactor: number;
  /** Sequences that run at once. */
  readonly maxSequences: number;
  readonly kvTokens: number;
}

/**
 * The profiles "8B-class model on H100, balanced load" and "70B model on 8xH100 (TP=8), throughput-optimized" of llm-d-inference-sim
 * (docs/latency-profiles.md and manifests/latency-profiles/*-per-token.yaml), figure by figure. They are taken as they are, never tuned.
 */
export const latencyProfiles = {
  '8b-h100': {
    prefill: { baseMs: 30, perTokenMs: 0.25, spreadMs: 5 },
    interToken: { meanMs: 12, spreadMs: 2 },
    fullBatchFactor: 2,
    maxSequences: 16,
    kvTokens: kvTokensOf({ gpus: 1, parameters: 8e9, bytesPerToken: 128 * 1024 }),
  },
  '70b-8xh100': {
    prefill: { baseMs: 80, perTokenMs: 0.5, spreadMs: 15 },
    interToken: { meanMs: 25, spreadMs: 4 },
    fullBatchFactor: 3,
    maxSequences: 64,
    kvTokens: kvTokensOf({ gpus: 8, parameters: 70e9, bytesPerToken: 320 * 1024 }),
  },
} as const satisfies Record<string, LatencyProfile>;

/**
 * What is left of the memory for keys and values: of 80 GB a GPU the 90 % that vLLM takes by default (gpu_memory_utilization), less
 * two bytes a parameter; bytes a token from the table "KV Cache Transfer" of the same document.
 */
function kvTokensOf(model: { gpus: number; parameters: number; bytesPerToken: number }): number {
  const freeBytes = model.gpus * 80e9 * 0.9 - 2 * model.parameters;
  return Math.floor(freeBytes / model.bytesPerToken);
}
