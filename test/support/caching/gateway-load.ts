import { readFileSync } from 'node:fs';
import { eventually, type RunningGateway, type Scope } from '../gateway-process.ts';
import { OpenLoop } from '../open-loop.ts';
import { infer } from './live.ts';

/** What one request came to. Instants are of `performance.now()`. */
interface Asked {
  readonly atMs: number;
  readonly tookMs: number;
  /** Of its answer, or why there was none. */
  readonly ended: number | string;
  readonly isHit: boolean;
}

const keptQuestions = 200;
const pageBytes = 4096;

/** Asks a gateway at a steady rate, four times of five what was asked before, until it is stopped. */
export class GatewayLoad {
  readonly asked: Asked[] = [];
  mostResidentBytes = 0;
  readonly #gateway: RunningGateway;
  readonly #model: string;
  readonly #loop: OpenLoop;

  constructor(scope: Scope, gateway: RunningGateway, everyMs: number, model = 'm') {
    this.#gateway = gateway;
    this.#model = model;
    this.#loop = new OpenLoop(everyMs, (count) => this.#ask(count));
    scope.after(() => this.#loop.stop());
  }

  /** What the gateway takes of the machine's memory. */
  residentBytes(): number {
    const pages = readFileSync(`/proc/${this.#gateway.process.pid}/statm`, 'utf8').split(' ')[1];
    return Number(pages) * pageBytes;
  }

  /** So many of a hundred requests between two instants took at most this long. */
  percentileMs(share: number, fromMs: number, untilMs = Number.POSITIVE_INFINITY): number {
    const meant = this.asked.filter(({ atMs }) => atMs >= fromMs && atMs < untilMs);
    const tookMs = meant.map((one) => one.tookMs).toSorted((a, b) => a - b);
    return tookMs[Math.min(tookMs.length - 1, Math.floor(tookMs.length * share))] ?? 0;
  }

  /** Resolves when most of what is asked is there again, with how long that took. */
  async recovered(withinMs: number): Promise<number> {
    const fromMs = performance.now();
    const isThere = (): boolean => {
      const last = this.asked.filter(({ atMs }) => atMs >= fromMs).slice(-50);
      return last.filter(({ isHit }) => isHit).length >= 30;
    };
    await eventually('hits again', isThere, withinMs);
    return performance.now() - fromMs;
  }

  /** Resolves when all that was asked has been answered. */
  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #ask(count: number): Promise<void> {
    const atMs = performance.now();
    const x = count % 5 === 0 ? -1 - count : (count * 7) % keptQuestions;
    const got = await infer(this.#gateway.client, { x, model: this.#model }).catch(String);
    const tookMs = performance.now() - atMs;
    const [ended, isHit] = typeof got === 'string' ? [got, false] : [got.status, got.cache === 'hit'];
    this.asked.push({ atMs, tookMs, ended, isHit });
    if (count % 50 === 0) this.mostResidentBytes = Math.max(this.mostResidentBytes, this.residentBytes());
  }
}
