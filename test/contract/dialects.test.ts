import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'node:test';
import { type DialectName, dialects } from '../../gateway/upstream/dialects/registry.ts';
import { dialectSuite, type KnownPage } from './dialect-suite.ts';

const pages = join(import.meta.dirname, '..', 'support', 'metrics-pages');

function page(name: string, means: KnownPage['means']): KnownPage {
  return { name, text: readFileSync(join(pages, `${name}.txt`), 'utf8'), means };
}

const known: Readonly<Record<DialectName, readonly KnownPage[]>> = {
  vllm: [page('vllm', { queued: 12, inFlight: 89, kvUsedShare: 0.9187224669603524 })],
  sglang: [page('sglang', { queued: 5, inFlight: 29, kvUsedShare: 0.28 })],
  triton: [page('triton', { queued: 6 }), page('triton-trt-llm', { queued: 3, inFlight: 64, kvUsedShare: 0.4875 })],
  tgi: [page('tgi', { queued: 11, inFlight: 43 })],
  'llama.cpp': [page('llama.cpp', { queued: 46, inFlight: 50 })],
};

for (const [name, own] of Object.entries(known) as [DialectName, readonly KnownPage[]][]) {
  const foreign = Object.entries(known).flatMap(([other, theirs]) => (other === name ? [] : theirs));
  describe(`the dialect of ${name}`, () => dialectSuite(dialects[name], own, foreign));
}
