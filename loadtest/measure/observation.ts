import type { AnswerEvents, AnswerHead } from '../drive/answer-parser.ts';
import type { Outcome, RequestRecord } from './record.ts';
import { TokenScanner } from './token-scanner.ts';

/** What is asked, as far as its record tells. */
export interface Asked {
  readonly index: number;
  readonly target: string;
  readonly plannedAtMs: number;
  readonly isStreaming: boolean;
  readonly inputTokens: number;
}

/** Watches one request from its sending to its end, and writes its record. It has no clock: each event is told when it is. */
export class Observation {
  readonly #asked: Asked;
  readonly #sentAtMs: number;
  #firstByteAtMs: number | null = null;
  #firstTokenAtMs: number | null = null;
  #lastTokenAtMs = 0;
  readonly #tokenGapsMs: number[] = [];
  #bytes = 0;
  #head: AnswerHead | null = null;
  readonly #scanner = new TokenScanner();

  constructor(asked: Asked, sentAtMs: number) {
    this.#asked = asked;
    this.#sentAtMs = sentAtMs;
  }

  /** Of the body so far. */
  get bytes(): number {
    return this.#bytes;
  }

  get firstByteAtMs(): number | null {
    return this.#firstByteAtMs;
  }

  head(head: AnswerHead, atMs: number): void {
    this.#head = head;
    this.#firstByteAtMs = atMs;
  }

  body(...[bytes, from, until, atMs]: [...Parameters<AnswerEvents['body']>, number]): void {
    this.#bytes += until - from;
    // Only what can have tokens is looked at, and errors have none.
    if (this.#head?.status !== 200 || (!this.#asked.isStreaming && this.#asked.inputTokens === 0)) return;
    const text = bytes.toString('latin1', from, until);
    if (!this.#asked.isStreaming) this.#scanner.takeWhole(text);
    else for (let left = this.#scanner.takeStream(text); left > 0; left--) this.#takeToken(atMs);
  }

  #takeToken(atMs: number): void {
    if (this.#firstTokenAtMs === null) this.#firstTokenAtMs = atMs;
    else this.#tokenGapsMs.push(atMs - this.#lastTokenAtMs);
    this.#lastTokenAtMs = atMs;
  }

  /** What an answer amounts to whose last byte has come. */
  get outcomeOfAnswer(): Outcome {
    const status = this.#head?.status ?? 0;
    if (status === 503) return 'shed';
    if (status === 429) return 'limited';
    if (status >= 300 || this.#scanner.hasFailed) return 'upstream_error';
    // A stream that ends without its last event was cut, however well its bytes were framed.
    return this.#asked.isStreaming && !this.#scanner.isDone ? 'upstream_error' : 'ok';
  }

  ended(outcome: Outcome, atMs: number): RequestRecord {
    const { index, target, plannedAtMs, inputTokens } = this.#asked;
    return {
      index,
      target,
      outcome,
      status: this.#head?.status ?? null,
      plannedAtMs,
      sentAtMs: this.#sentAtMs,
      firstByteAtMs: this.#firstByteAtMs,
      firstTokenAtMs: this.#firstTokenAtMs,
      endedAtMs: atMs,
      inputTokens,
      outputTokens: this.#scanner.usedTokens ?? this.#scanner.events,
      tokenGapsMs: this.#tokenGapsMs,
      bytes: this.#bytes,
      ...toldBy(this.#head?.headers ?? noHeaders),
    };
  }
}

const noHeaders: AnswerHead['headers'] = new Map();

type Told = Pick<RequestRecord, 'replica' | 'arrivedAtMs' | 'queueMs' | 'upstreamMs' | 'tries'>;

/** What the head says of where the answer is from and where its time went. A simulated server is believed where no gateway speaks. */
function toldBy(headers: AnswerHead['headers']): Told {
  const timing = headers.get('server-timing') ?? '';
  return {
    replica: headers.get('x-headgate-replica') ?? headers.get('x-simulated-server') ?? null,
    arrivedAtMs: numberIn(headers.get('x-simulated-arrived-ms')),
    queueMs: durationIn(timing, 'queue') ?? numberIn(headers.get('x-simulated-wait-ms')),
    upstreamMs: durationIn(timing, 'upstream') ?? numberIn(headers.get('x-simulated-service-ms')),
    tries: triesIn(headers.get('cache-status')),
  };
}

function durationIn(timing: string, name: string): number | null {
  if (timing === '') return null;
  const metric = timing.split(',').find((one) => one.trim().startsWith(`${name};`));
  return numberIn(/;\s*dur=([\d.]+)/.exec(metric ?? '')?.[1]);
}

function numberIn(text: string | undefined): number | null {
  const value = Number(text);
  return text === undefined || Number.isNaN(value) ? null : value;
}

/** RFC 9211: a hit and a collapsed request sent nothing upstream; any other was sent, and that it was sent again is not told. */
function triesIn(cacheStatus: string | undefined): number | null {
  if (cacheStatus === undefined) return null;
  return /;\s*(?:hit|collapsed)\b/.test(cacheStatus) ? 0 : 1;
}
