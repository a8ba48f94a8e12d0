import { type Rng, seededRng } from '../../gateway/kernel/rng.ts';
import { type Trace, type TraceRow, traceBlockTokens } from '../arrivals/trace.ts';
import { latencyProfiles } from '../model-server/latency-profiles.ts';
import { textOf } from '../payloads/words.ts';
import type { Asked, Workload } from './workload.ts';

const { prefill, interToken } = latencyProfiles['8b-h100'];

/** Those of one answer besides its text, about. */
const frameBytes = 320;
const bytesPerToken = 4;
const users = 1_000;

/**
 * The chats of a trace in its order, at its mean rate: its instants are clumps that nobody sent. Two are the same where their blocks and
 * lengths are, whatever they were answered, and all ask for temperature 0: with any other, none is answered from a cache. They are written by
 * one library, as those of one client are, for users who are drawn, and every other one as a stream.
 */
export function chatsOf(trace: Trace): Workload {
  const rows = Array.from({ length: trace.size }, (_, at) => trace.row(at));
  return {
    title: "chats of Mooncake's trace",
    requests: trace.size,
    warmUp: 0,
    ratePerSecond: trace.meanPerSecond(),
    answerBytes: rows.map(answerBytesOf),
    *ask(seed) {
      const rng = seededRng(seed);
      for (const row of rows) yield askedOf(row, rng);
    },
  };
}

function answerBytesOf({ outputTokens }: TraceRow): number {
  return frameBytes + outputTokens * bytesPerToken;
}

function askedOf(row: TraceRow, rng: Rng): Asked {
  const { inputTokens, outputTokens, blocks } = row;
  if (blocks === null)
    throw new TypeError('got a trace that does not say which prompts are alike, wanted one of Mooncake');
  const prompt = textOf(
    Array.from(blocks, (key, at) => ({
      seed: 0,
      key,
      tokens: Math.min(traceBlockTokens, inputTokens - at * traceBlockTokens),
    })),
  );
  const body = {
    model: 'chat',
    messages: [{ role: 'user', content: prompt.toString('latin1') }],
    temperature: 0,
    max_tokens: 2048,
    stream: rng.next() < 0.5,
    user: `user-${rng.below(users)}`,
  };
  return {
    path: '/v1/chat/completions',
    body: Buffer.from(JSON.stringify(body)),
    answer: Buffer.alloc(answerBytesOf(row)),
    serviceMs: prefill.baseMs + prefill.perTokenMs * inputTokens + interToken.meanMs * outputTokens,
  };
}
