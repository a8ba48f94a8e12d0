import { seededRng } from '../../gateway/kernel/rng.ts';
import type { Seeds } from '../arrivals/seeds.ts';
import { traceBlockTokens } from '../arrivals/trace.ts';
import type { Chat, Choice, Payloads, Target } from '../scenario/scenario.ts';
import { keysOf } from './keys.ts';
import { drawLength } from './length.ts';
import type { Payload } from './payload.ts';
import { type Stretch, textOf } from './words.ts';

const path = '/v1/chat/completions';

/** Chat completions with one message of the user. */
export function chatsOf({ choice, chat }: Payloads, { model }: Target, seeds: Seeds): (index: number) => Payload {
  const keyOf = keysOf(choice, seeds.choices);
  const head = Buffer.from(`{"model":${JSON.stringify(model)},"messages":[{"role":"user","content":"`);
  return (index) => {
    const { prompt, outputTokens } = askOf(choice, chat, keyOf(index), seeds);
    return {
      path,
      isStreaming: chat.isStreaming,
      inputTokens: prompt.reduce((sum, { tokens }) => sum + tokens, 0),
      outputTokens,
      get body() {
        return Buffer.concat([head, textOf(prompt), Buffer.from(tailOf(chat, outputTokens))]);
      },
    };
  };
}

interface AskedFor {
  readonly prompt: readonly Stretch[];
  readonly outputTokens: number;
}

function askOf(choice: Choice, chat: Chat, key: number, seeds: Seeds): AskedFor {
  if (choice.kind === 'trace') return askOfTrace(choice, key, seeds);
  const rng = seededRng(seeds.lengths + key);
  const own = { seed: seeds.contents, key, tokens: drawLength(chat.promptTokens, rng) };
  const outputTokens = drawLength(chat.outputTokens, rng);
  if (choice.kind !== 'prefix') return { prompt: [own], outputTokens };
  const group = seededRng(seeds.choices + key).below(choice.groups);
  return { prompt: [{ seed: seeds.blocks, key: group, tokens: choice.prefixTokens }, own], outputTokens };
}

function askOfTrace({ trace }: Extract<Choice, { kind: 'trace' }>, key: number, seeds: Seeds): AskedFor {
  const { inputTokens, outputTokens, blocks } = trace.row(key);
  if (blocks === null) return { prompt: [{ seed: seeds.contents, key, tokens: inputTokens }], outputTokens };
  const prompt = Array.from(blocks, (id, at) => ({
    seed: seeds.blocks,
    key: id,
    tokens: Math.min(traceBlockTokens, inputTokens - at * traceBlockTokens),
  }));
  return { prompt, outputTokens };
}

/** What follows the text of the message. */
function tailOf({ isStreaming, includesUsage, ignoresEnd, temperature }: Chat, outputTokens: number): string {
  const options = {
    max_tokens: outputTokens,
    ...(isStreaming ? { stream: true } : {}),
    ...(isStreaming && includesUsage ? { stream_options: { include_usage: true } } : {}),
    ...(ignoresEnd ? { ignore_eos: true } : {}),
    ...(temperature === null ? {} : { temperature }),
  };
  return `"}],${JSON.stringify(options).slice(1)}`;
}
