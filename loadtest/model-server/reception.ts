import type { Answer, AnswerHeaders, Request } from './asked.ts';
import { type Endpoint, nameHeader } from './endpoint.ts';
import type { Condition } from './fault-script.ts';
import { ownAnswer, type ShortAnswer } from './own-answers.ts';
import type { SimulatedServer } from './simulated-server.ts';

/** Whether a server in some condition takes connections. */
export function isOpen(condition: Condition): boolean {
  return condition === 'up' || condition === 'starting';
}

/** What a simulated server does with the requests that reach it, however they do. */
export class Reception {
  readonly #server: SimulatedServer;
  readonly #endpoint: Endpoint;

  constructor(server: SimulatedServer, endpoint: Endpoint) {
    this.#server = server;
    this.#endpoint = endpoint;
  }

  /** Answers a request at once, in time, or never; gives whether somebody waits for an answer from now on. */
  receive(request: Request, answer: Answer): boolean {
    const short = this.#judge(request, answer);
    if (short !== null) this.#tell(answer, short);
    return short === null;
  }

  /** Answers one that is not even read. */
  refuse(answer: Answer, status: number, message: string): void {
    this.#tell(answer, this.#refusal(status, message));
  }

  /** What is to be told at once; null where the answer comes later, or never. */
  #judge(request: Request, answer: Answer): ShortAnswer | null {
    const { method, path } = request;
    if (!this.#endpoint.matches(path)) return ownAnswer(this.#server, method, path);
    if (method !== 'POST') return this.#refusal(405, `got ${method}, wanted POST`, { allow: 'POST' });
    if (this.#server.condition === 'starting') return this.#refusal(503, 'the model is still being loaded');
    const fate = this.#server.fate();
    switch (fate.kind) {
      case 'fail':
        return this.#refusal(fate.status, 'simulated failure', retryAfter(fate.retryAfterMs));
      case 'hang':
        return null;
      case 'reset':
        answer.reset();
        return null;
      default:
        return this.#compute({ request, answer, breaks: fate.kind === 'break' ? fate : null });
    }
  }

  #compute(asked: Parameters<Endpoint['read']>[0]): ShortAnswer | null {
    const { models, refusalStatus } = this.#server.settings;
    const reading = this.#endpoint.read(asked);
    if ('status' in reading) return this.#refusal(reading.status, reading.message);
    const { model } = reading;
    if (!models.includes(model))
      return this.#refusal(404, `there is no model ${model}; there are ${models.join(', ')}`);
    const wrong = reading.start();
    // Also where nothing was taken in: the engine has been told the time.
    this.#server.rearm();
    if (wrong === 'full') return this.#refusal(refusalStatus, 'too many requests wait already', retryAfter(1000));
    return wrong === null ? null : this.#refusal(wrong.status, wrong.message);
  }

  #refusal(status: number, message: string, headers: AnswerHeaders = {}): ShortAnswer {
    return { status, headers, body: this.#endpoint.errorBody(status, message) };
  }

  #tell(answer: Answer, { status, headers, body }: ShortAnswer): void {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const all = { [nameHeader]: this.#server.settings.name, 'content-type': 'application/json', ...headers };
    answer.whole(status, all, Buffer.from(text));
  }
}

function retryAfter(afterMs: number | null): AnswerHeaders {
  return afterMs === null ? {} : { 'retry-after': Math.ceil(afterMs / 1000) };
}
