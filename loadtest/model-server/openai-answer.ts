import type { LlmJob } from './llm-engine.ts';

/** What stands at the top of an answer and of each of its chunks. */
export interface AnswerTop {
  readonly isChat: boolean;
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
}

/** Four letters each with the space, so that the text of an answer, sent back as part of a prompt, has as many tokens as it had. */
const words = [
  ' the',
  ' run',
  ' sea',
  ' sky',
  ' oak',
  ' hen',
  ' ink',
  ' jar',
  ' map',
  ' net',
  ' owl',
  ' pen',
  ' red',
  ' sun',
  ' tin',
  ' wax',
];

/** The text of the `at`-th token of the answer to a prompt: the same prompt gets the same answer. */
export function wordAt(promptKey: number, at: number): string {
  // A step by an odd number, which depends on the prompt, goes through all words.
  const step = 2 * (Math.floor(promptKey / 16) % 8) + 1;
  return words[(promptKey + at * step) % words.length] ?? '';
}

/** How many tokens went in, came from the prefix cache, and came out. */
export function usageOf({ prompt, tokensOut, cachedTokens }: LlmJob): object {
  return {
    prompt_tokens: prompt.tokens,
    total_tokens: prompt.tokens + tokensOut,
    completion_tokens: tokensOut,
    prompt_tokens_details: { cached_tokens: cachedTokens },
  };
}

/** An answer that is no stream. */
export function wholeAnswer({ isChat, id, created, model }: AnswerTop, job: LlmJob): object {
  const text = Array.from({ length: job.tokensOut }, (_, at) => wordAt(job.prompt.key, at)).join('');
  const content = isChat ? { message: { role: 'assistant', content: text } } : { text };
  const choice = { index: 0, ...content, logprobs: null, finish_reason: 'length', stop_reason: null };
  const object = isChat ? 'chat.completion' : 'text_completion';
  return { id, object, created, model, choices: [choice], usage: usageOf(job) };
}

/** The events of one stream, as vLLM writes them: the role, a chunk for each token, the usage where it was asked for, the end. */
export class StreamEvents {
  readonly #top: string;
  readonly #isChat: boolean;
  /** What stands around the text of a token in the middle: all that differs from one chunk to the next is the text. */
  readonly #around: readonly [before: string, after: string];

  constructor({ isChat, id, created, model }: AnswerTop) {
    const object = isChat ? 'chat.completion.chunk' : 'text_completion';
    this.#isChat = isChat;
    this.#top = JSON.stringify({ id, object, created, model }).slice(0, -1);
    this.#around = [
      `data: ${this.#top},"choices":[{"index":0,${isChat ? '"delta":{"content":' : '"text":'}"`,
      `"${isChat ? '}' : ''},"logprobs":null,"finish_reason":`,
    ];
  }

  /** The first of a chat. */
  role(): string {
    const choice = { index: 0, delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: null };
    return this.#isChat ? `data: ${this.#top},"choices":[${JSON.stringify(choice)}]}\n\n` : '';
  }

  token(text: string, isLast: boolean): string {
    return `${this.#around[0]}${text}${this.#around[1]}${isLast ? '"length","stop_reason":null' : 'null'}}]}\n\n`;
  }

  usage(job: LlmJob): string {
    return `data: ${this.#top},"choices":[],"usage":${JSON.stringify(usageOf(job))}}\n\n`;
  }

  end(): string {
    return 'data: [DONE]\n\n';
  }
}
