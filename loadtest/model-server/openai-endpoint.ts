import { type Asked, breakOff, headerOf, jsonObject, sendWhole } from './asked.ts';
import { type Endpoint, reportHeaders, type Timing, timingHeaders, whenLeft } from './endpoint.ts';
import type { LlmEngine, LlmJob } from './llm-engine.ts';
import { type AnswerTop, StreamEvents, wholeAnswer, wordAt } from './openai-answer.ts';
import { type OpenAiAsk, readAsk } from './openai-ask.ts';
import type { LlmSettings } from './settings.ts';
import type { SimulatedServer } from './simulated-server.ts';

const chatPath = '/v1/chat/completions';
const completionsPath = '/v1/completions';

/** Chats and completions of the OpenAI API. */
export function openAiEndpoint(server: SimulatedServer<LlmEngine>, settings: LlmSettings): Endpoint {
  let count = 0;
  return {
    matches: (path) => path === chatPath || path === completionsPath,
    modelOf({ body }) {
      const model = jsonObject(body)?.model;
      return typeof model === 'string' ? model : null;
    },
    errorBody: (status, message) => ({
      error: { message, type: status >= 500 ? 'server_error' : 'invalid_request_error', param: null, code: null },
    }),
    serve(asked, model) {
      const isChat = asked.path === chatPath;
      const json = jsonObject(asked.body);
      const ask = json === null ? 'body: wanted a JSON object' : readAsk(json, isChat, settings.blockTokens);
      if (typeof ask === 'string') return { status: 400, message: ask };
      const id = `${isChat ? 'chatcmpl' : 'cmpl'}-${headerOf(asked.request, 'x-request-id') ?? `${settings.name}-${count++}`}`;
      const top: AnswerTop = { isChat, id, created: Math.floor(server.wallMs / 1000), model };
      const answer = ask.isStreaming
        ? new StreamedAnswer(server, asked, top, ask)
        : new WholeAnswer(server, asked, top);
      const job = server.engine.submit(server.nowMs, {
        prompt: ask.prompt,
        outputTokens: ask.outputTokens ?? settings.outputTokens,
        onToken: (one) => answer.token(one),
      });
      if (job === 'full') return 'full';
      if (job === 'too_long') return { status: 400, message: 'the prompt and its answer are longer than the cache is' };
      whenLeft(server, asked.response, (engine, nowMs) => engine.leave(job, nowMs));
      if (ask.isStreaming && settings.streamHead === 'at_once') answer.open(null);
      return null;
    },
  };
}

interface Answer {
  /** Sends the head, with what is known of the time by then. */
  open(job: LlmJob | null): void;
  token(job: LlmJob): void;
}

class WholeAnswer implements Answer {
  readonly #server: SimulatedServer;
  readonly #asked: Asked;
  readonly #top: AnswerTop;

  constructor(server: SimulatedServer, asked: Asked, top: AnswerTop) {
    this.#server = server;
    this.#asked = asked;
    this.#top = top;
  }

  open(): void {}

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

class StreamedAnswer implements Answer {
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

  /** Of a stream that has begun, the service time is that until its first token. */
  open(job: LlmJob | null): void {
    const { request, response } = this.#asked;
    const timing =
      job === null ? reportHeaders(this.#server, request, null) : timingHeaders(this.#server, request, timingOf(job));
    response.writeHead(200, {
      ...timing,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
    });
    response.flushHeaders();
  }

  token(job: LlmJob): void {
    const { response, breaks } = this.#asked;
    if (this.#isBroken) return;
    if (!response.headersSent) this.open(job);
    const { tokensOut, isFinished } = job;
    let text = this.#events.token(wordAt(job.prompt.key, tokensOut - 1), isFinished);
    if (tokensOut === 1) text = this.#events.role() + text;
    if (breaks !== null && tokensOut >= breaks.afterTokens) {
      this.#isBroken = true;
      response.write(text);
      breakOff(response, breaks.how);
    } else if (!isFinished) response.write(text, 'latin1');
    else response.end(`${text}${this.#wantsUsage ? this.#events.usage(job) : ''}${this.#events.end()}`);
  }
}

function timingOf(job: LlmJob): Timing {
  return { arrivedAtMs: job.arrivedAtMs, waitMs: job.waitMs, serviceMs: job.dueAtMs - job.startedAtMs };
}
