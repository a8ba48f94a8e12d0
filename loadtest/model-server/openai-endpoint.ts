import { type Asked, breakOff, headerOf, jsonObject, sendWhole } from './asked.ts';
import { type Endpoint, reportHeaders, type Timing, timingHeaders, type Wrong, whenLost } from './endpoint.ts';
import type { LlmEngine, LlmJob } from './llm-engine.ts';
import { type AnswerTop, StreamEvents, wholeAnswer, wordAt } from './openai-answer.ts';
import { type OpenAiAsk, readAsk } from './openai-ask.ts';
import type { LlmSettings } from './settings.ts';
import type { SimulatedServer } from './simulated-server.ts';

const chatPath = '/v1/chat/completions';
const completionsPath = '/v1/completions';

/** Chats and completions of the OpenAI API. */
export function openAiEndpoint(server: SimulatedServer<LlmEngine>, settings: LlmSettings): Endpoint {
  const { blockTokens, outputTokens, streamHead } = settings;
  return {
    matches: (path) => path === chatPath || path === completionsPath,
    errorBody,
    read(asked) {
      const json = jsonObject(asked.request.body);
      if (json === null) return { status: 400, message: 'body: wanted a JSON object' };
      const { model } = json;
      if (typeof model !== 'string') return { status: 400, message: 'model: wanted a text' };
      return {
        model,
        start() {
          const ask = readAsk(json, asked.request.path === chatPath, blockTokens);
          return typeof ask === 'string'
            ? { status: 400, message: ask }
            : start(asked, ask, topOf(server, asked, model));
        },
      };
    },
  };

  function start(asked: Asked, ask: OpenAiAsk, top: AnswerTop): Wrong | 'full' | null {
    const stream = ask.isStreaming ? new StreamedAnswer(server, asked, top, ask) : null;
    const answer = stream ?? new WholeAnswer(server, asked, top);
    const job = server.engine.submit(server.nowMs, {
      prompt: ask.prompt,
      outputTokens: ask.outputTokens ?? outputTokens,
      onToken: (one) => answer.token(one),
    });
    if (job === 'full') return 'full';
    if (job === 'too_long') return { status: 400, message: 'the prompt and its answer are longer than the cache is' };
    whenLost(server, asked.answer, (engine, nowMs) => engine.leave(job, nowMs));
    if (streamHead === 'at_once') stream?.open(null);
    return null;
  }
}

function topOf(server: SimulatedServer<LlmEngine>, { request }: Asked, model: string): AnswerTop {
  const isChat = request.path === chatPath;
  const name = headerOf(request, 'x-request-id') ?? `${server.settings.name}-${server.engine.arrivals}`;
  return { isChat, id: `${isChat ? 'chatcmpl' : 'cmpl'}-${name}`, created: Math.floor(server.wallMs / 1000), model };
}

function errorBody(status: number, message: string): object {
  const type = status >= 500 ? 'server_error' : 'invalid_request_error';
  return { error: { message, type, param: null, code: null } };
}

class WholeAnswer {
  readonly #server: SimulatedServer;
  readonly #asked: Asked;
  readonly #top: AnswerTop;

  constructor(server: SimulatedServer, asked: Asked, top: AnswerTop) {
    this.#server = server;
    this.#asked = asked;
    this.#top = top;
  }

  token(job: LlmJob): void {
    if (!job.isFinished) return;
    const headers = {
      ...timingHeaders(this.#server, this.#asked.request, timingOf(job)),
      'x-simulated-first-token-ms': job.firstTokenAtMs - job.startedAtMs,
      'content-type': 'application/json',
    };
    sendWhole(this.#asked, 200, headers, Buffer.from(JSON.stringify(wholeAnswer(this.#top, job))));
  }
}

class StreamedAnswer {
  readonly #server: SimulatedServer;
  readonly #asked: Asked;
  readonly #events: StreamEvents;
  readonly #wantsUsage: boolean;
  #isBroken = false;

  constructor(server: SimulatedServer, asked: Asked, top: AnswerTop, { wantsUsage }: OpenAiAsk) {
    this.#server = server;
    this.#asked = asked;
    this.#events = new StreamEvents(top);
    this.#wantsUsage = wantsUsage;
  }

  /** Sends the head, with what is known of the time by then: of a stream that has begun, the service time is that until its first token. */
  open(job: LlmJob | null): void {
    const { request, answer } = this.#asked;
    const timing =
      job === null ? reportHeaders(this.#server, request, null) : timingHeaders(this.#server, request, timingOf(job));
    answer.begin(200, {
      ...timing,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
    });
  }

  token(job: LlmJob): void {
    const { answer, breaks } = this.#asked;
    if (this.#isBroken) return;
    if (!answer.hasBegun) this.open(job);
    const { tokensOut, isFinished } = job;
    let text = this.#events.token(wordAt(job.prompt.key, tokensOut - 1), isFinished);
    if (tokensOut === 1) text = this.#events.role() + text;
    if (breaks !== null && tokensOut >= breaks.afterTokens) {
      this.#isBroken = true;
      answer.write(text);
      breakOff(answer, breaks.how);
    } else if (!isFinished) answer.write(text);
    else answer.end(`${text}${this.#wantsUsage ? this.#events.usage(job) : ''}${this.#events.end()}`);
  }
}

function timingOf(job: LlmJob): Timing {
  return { arrivedAtMs: job.arrivedAtMs, waitMs: job.waitMs, serviceMs: job.dueAtMs - job.startedAtMs };
}
