import { isRecord } from './asked.ts';
import { type Prompt, promptOfIds, promptOfText, promptOfTrace } from './tokens.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What a request to an LLM server says, as far as it matters here. */
export interface OpenAiAsk {
  readonly prompt: Prompt;
  /** Null where it names no length. */
  readonly outputTokens: number | null;
  readonly isStreaming: boolean;
  readonly wantsUsage: boolean;
}

/** Reads a chat or a completion; a text where something is wrong with it, which says what. */
export function readAsk(json: Fields, isChat: boolean, blockTokens: number): OpenAiAsk | string {
  const prompt = traceOf(json, blockTokens) ?? (isChat ? chatOf(json, blockTokens) : completionOf(json, blockTokens));
  if (typeof prompt === 'string') return prompt;
  const length = json.max_completion_tokens ?? json.max_tokens ?? null;
  if (length !== null && !isWhole(length, 1)) return 'max_tokens: wanted a whole number from 1';
  if ((json.n ?? 1) !== 1) return 'n: wanted 1, this server gives one choice';
  const { stream, stream_options: options } = json;
  return {
    prompt,
    outputTokens: length,
    isStreaming: stream === true,
    wantsUsage: isRecord(options) && options.include_usage === true,
  };
}

/** The roles and texts of a chat, one after the other, as chat templates put them. */
function chatOf({ messages }: Fields, blockTokens: number): Prompt | string {
  if (!Array.isArray(messages) || messages.length === 0) return 'messages: wanted a list of messages';
  const texts = messages.map((message: unknown) => {
    if (!isRecord(message) || typeof message.role !== 'string') return null;
    return `<|${message.role}|>\n${contentOf(message.content)}\n`;
  });
  if (texts.includes(null)) return 'messages: wanted a role in each';
  return promptOfText(`${texts.join('')}<|assistant|>\n`, blockTokens);
}

/** A text, or a list of parts of which those count that have one. */
function contentOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part: unknown) => (isRecord(part) && typeof part.text === 'string' ? part.text : '')).join('');
}

function completionOf({ prompt }: Fields, blockTokens: number): Prompt | string {
  const one: unknown =
    Array.isArray(prompt) && prompt.length === 1 && typeof prompt[0] !== 'number' ? prompt[0] : prompt;
  if (typeof one === 'string') return promptOfText(one, blockTokens);
  if (Array.isArray(one) && one.length > 0 && one.every((id) => isWhole(id, 0))) return promptOfIds(one, blockTokens);
  return 'prompt: wanted one text, or one list of token ids';
}

/** Our own: a prompt as traces tell it (Mooncake), by its length and an id for each block of it. Null where there is none. */
function traceOf(
  { hash_ids: ids, input_length: tokens, hash_block_tokens: idTokens = 512 }: Fields,
  blockTokens: number,
): Prompt | string | null {
  if (ids === undefined) return null;
  if (!Array.isArray(ids) || !ids.every((id) => isWhole(id, 0))) return 'hash_ids: wanted a list of whole numbers';
  if (!isWhole(tokens, 1) || tokens > longestPrompt) return 'input_length: wanted a number of tokens';
  if (!isWhole(idTokens, 1)) return 'hash_block_tokens: wanted a whole number from 1';
  return promptOfTrace(ids, { tokens, idTokens, blockTokens });
}

const longestPrompt = 10_000_000;

function isWhole(value: unknown, least: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= least;
}
