import { seededRng } from '../../gateway/kernel/rng.ts';
import { textOf } from '../payloads/words.ts';
import { zipfOf } from '../payloads/zipf.ts';
import type { Workload } from './workload.ts';
import { writtenJson } from './written-json.ts';

interface Options {
  readonly exponent: number;
  readonly texts: number;
  readonly requests: number;
  readonly warmUp: number;
}

const model = 'text-embedding-3-small';
const dimensions = 256;
const users = 1_000;
/** Six words tell texts apart. */
const leastTokens = 6;
const mostTokens = 24;
const ratePerSecond = 50;
const serviceMs = 50;

/** An answer to one text. Its numbers mean nothing. */
const answer = Buffer.from(
  JSON.stringify({
    object: 'list',
    data: [{ object: 'embedding', index: 0, embedding: Buffer.alloc(dimensions * 4, 'canal').toString('base64') }],
    model,
    usage: { prompt_tokens: leastTokens, total_tokens: leastTokens },
  }),
);

/** Short texts to embed, the n-th with a probability in proportion to n ** -exponent, as queries of a search are asked; from many users, by several libraries. */
export function embeddingsOf({ exponent, texts, requests, warmUp }: Options): Workload {
  return {
    title: `embeddings, Zipf ${exponent.toFixed(1)}`,
    requests,
    warmUp,
    ratePerSecond,
    answerBytes: new Array<number>(texts).fill(answer.length),
    *ask(seed) {
      const rng = seededRng(seed);
      const draw = zipfOf(exponent, texts);
      while (true) {
        const content = {
          model,
          input: textAt(draw(rng)),
          dimensions,
          encoding_format: 'base64',
          user: `user-${rng.below(users)}`,
        };
        yield { path: '/v1/embeddings', body: writtenJson(content, rng), answer, serviceMs };
      }
    },
  };
}

/** With quotes as people's typewriters set them, which some libraries escape. */
function textAt(key: number): string {
  const tokens = leastTokens + (key % (mostTokens - leastTokens));
  return `“${textOf([{ seed: 0, key, tokens }]).toString('latin1')}”`;
}
