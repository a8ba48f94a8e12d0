import { Counter, type Registry } from 'prom-client';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Journal } from '../pipeline/journal.ts';
import { FastHistogram, type Observations } from './histogram.ts';
import { metricNames } from './names.ts';

/** The label of exchanges that were refused before a backend was known. */
const noBackend = 'none';

interface BackendCounts {
  readonly duration: Observations;
  readonly overhead: Observations;
  readonly timeToFirstByte: Observations;
  readonly queueWait: Observations;
  /** By status. */
  readonly requests: Map<number, RequestCount[]>;
  readonly tokens: { input: number; output: number };
}

interface RequestCount {
  readonly source: string;
  count: number;
}

/** What every exchange adds to the metrics, at the cost of a few additions. */
export class ExchangeMetrics {
  readonly #duration: FastHistogram;
  readonly #overhead: FastHistogram;
  readonly #timeToFirstByte: FastHistogram;
  readonly #queueWait: FastHistogram;
  readonly #byBackend = new Map<string, BackendCounts>();
  readonly #refusals = new Map<string, number>();

  constructor(registry: Registry) {
    const histogram = (name: string, help: string): FastHistogram => new FastHistogram({ name, help, registry });
    this.#duration = histogram(
      metricNames.requestDuration,
      'From the head of a request to the last byte of its answer.',
    );
    this.#overhead = histogram(
      metricNames.overhead,
      'The gateway’s own time: neither reading the request, nor waiting for a replica, nor the replica’s.',
    );
    this.#timeToFirstByte = histogram(
      metricNames.timeToFirstByte,
      'From the head of a request to the first byte of its answer’s body.',
    );
    this.#queueWait = histogram(
      metricNames.queueWait,
      'In waiting lines; 0 for requests that found a replica at once.',
    );
    this.#register(registry);
    this.#registerTokens(registry);
  }

  count({ journal, receivedAtMs }: Exchange): void {
    const counts = this.#countsOf(journal.backend);
    counts.duration.observe((journal.endedAtMs - receivedAtMs) / 1000);
    cellOf(counts.requests, journal).count += 1;
    counts.tokens.input += journal.inputTokens;
    counts.tokens.output += journal.outputTokens;
    if (journal.code !== 'ok') this.#refusals.set(journal.code, (this.#refusals.get(journal.code) ?? 0) + 1);
    if (journal.firstByteAtMs > 0) counts.timeToFirstByte.observe((journal.firstByteAtMs - receivedAtMs) / 1000);
    if (journal.tries === 0) return;
    counts.queueWait.observe(journal.queueWaitMs / 1000);
    counts.overhead.observe(overheadMs(journal) / 1000);
  }

  #countsOf(backend: string): BackendCounts {
    const known = this.#byBackend.get(backend);
    if (known !== undefined) return known;
    const labels = { backend: backend === '' ? noBackend : backend };
    const counts: BackendCounts = {
      duration: this.#duration.child(labels),
      overhead: this.#overhead.child(labels),
      timeToFirstByte: this.#timeToFirstByte.child(labels),
      queueWait: this.#queueWait.child(labels),
      requests: new Map(),
      tokens: { input: 0, output: 0 },
    };
    this.#byBackend.set(backend, counts);
    return counts;
  }

  #register(registry: Registry): void {
    const byBackend = this.#byBackend;
    const refusals = this.#refusals;
    new Counter({
      name: metricNames.requests,
      help: 'Exchanges, by the status the client got and where the answer came from.',
      labelNames: ['backend', 'code', 'source'],
      registers: [registry],
      collect() {
        this.reset();
        for (const [backend, { requests }] of byBackend) {
          for (const [code, cells] of requests) {
            for (const { source, count } of cells)
              this.inc({ backend: backend === '' ? noBackend : backend, code, source }, count);
          }
        }
      },
    });
    new Counter({
      name: metricNames.refusals,
      help: 'Exchanges that did not get a whole answer, by the code of the error.',
      labelNames: ['code'],
      registers: [registry],
      collect() {
        this.reset();
        for (const [code, count] of refusals) this.inc({ code }, count);
      },
    });
  }

  #registerTokens(registry: Registry): void {
    const byBackend = this.#byBackend;
    new Counter({
      name: metricNames.tokens,
      help: 'Tokens that answers say they took: of prompts (input) and of answers (output).',
      labelNames: ['backend', 'direction'],
      registers: [registry],
      collect() {
        this.reset();
        for (const [backend, { tokens }] of byBackend) {
          if (tokens.input === 0 && tokens.output === 0) continue;
          for (const direction of ['input', 'output'] as const) this.inc({ backend, direction }, tokens[direction]);
        }
      },
    });
  }
}

function cellOf(requests: BackendCounts['requests'], { status, source }: Journal): RequestCount {
  const ofStatus = requests.get(status);
  const known = ofStatus?.find((cell) => cell.source === source);
  if (known !== undefined) return known;
  const cell = { source, count: 0 };
  if (ofStatus === undefined) requests.set(status, [cell]);
  else ofStatus.push(cell);
  return cell;
}

function overheadMs({ readAtMs, sentAtMs, queueWaitMs, headAtMs, firstByteAtMs }: Journal): number {
  const before = sentAtMs - readAtMs - queueWaitMs;
  const after = firstByteAtMs > 0 && headAtMs > 0 ? firstByteAtMs - headAtMs : 0;
  return Math.max(0, before) + Math.max(0, after);
}
