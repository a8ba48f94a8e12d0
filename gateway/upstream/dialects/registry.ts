import type { Dialect } from './dialect.ts';
import { llamaCpp } from './llama-cpp.ts';
import { sglang } from './sglang.ts';
import { tgi } from './tgi.ts';
import { triton } from './triton.ts';
import { vllm } from './vllm.ts';

/** By the name under which they are configured. */
export const dialects = { vllm, sglang, triton, tgi, 'llama.cpp': llamaCpp } as const satisfies Record<string, Dialect>;

/** One of those names. */
export type DialectName = keyof typeof dialects;
