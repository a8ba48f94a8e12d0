import { type Due, popDue, pushDue } from '../../gateway/kernel/due-heap.ts';
import { type Rng, seededRng } from '../../gateway/kernel/rng.ts';
import { BlockPool, type Held } from './block-pool.ts';
import { normal } from './draws.ts';
import { Fifo } from './fifo.ts';
import type { LatencyProfile } from './latency-profiles.ts';
import { type Done, type Engine, type Load, nothingDone } from './load.ts';
import type { Pace } from './pace.ts';
import type { Prompt } from './tokens.ts';

interface Parts extends LatencyProfile {
  readonly blockTokens: number;
  readonly isCachingPrefixes: boolean;
  /** Infinity for no bound. */
  readonly maxQueue: number;
  readonly pace: Pace;
  readonly seed: number;
}

/** One sequence in an LLM server. */
export class LlmJob implements Due {
  readonly order: number;
  readonly arrivedAtMs: number;
  readonly prompt: Prompt;
  readonly outputTokens: number;
  /** Told of every token when it is there: `job.tokensOut` counts it, `job.dueAtMs` is its instant. */
  readonly onToken: (job: LlmJob) => void;
  /** Its own, so that what it takes depends on nothing but the order of arrival. */
  readonly rng: Rng;
  /** NaN while it waits. */
  startedAtMs = Number.NaN;
  /** NaN until then. */
  firstTokenAtMs = Number.NaN;
  /** When its next token comes; of a finished one, when its last one came. NaN while it waits. */
  dueAtMs = Number.NaN;
  cachedTokens = 0;
  tokensOut = 0;
  /** What it holds of the pool; null before it starts and after it ended. */
  held: Held | null = null;
  hasLeft = false;

  constructor(order: number, arrivedAtMs: number, rng: Rng, { prompt, outputTokens, onToken }: LlmAsk) {
    this.order = order;
    this.arrivedAtMs = arrivedAtMs;
    this.prompt = prompt;
    this.outputTokens = outputTokens;
    this.onToken = onToken;
    this.rng = rng;
  }

  get waitMs(): number {
    return this.startedAtMs - this.arrivedAtMs;
  }

  get isFinished(): boolean {
    return this.tokensOut === this.outputTokens;
  }
}

/** What is asked of an LLM server: a prompt, and how many tokens are to follow it, at least one. */
export interface LlmAsk {
  readonly prompt: Prompt;
  readonly outputTokens: number;
  readonly onToken: (job: LlmJob) => void;
}

/** How far a draw may lie from its mean, as a share of it: as in llm-d-inference-sim (docs/latency-simulation.md). */
const widestShare = 0.7;

/**
 * Continuous batching: sequences join and leave the running batch at any token. They wait, first come, first served, while the batch
 * or the cache of keys and values is full; room is taken for all that a sequence may grow to, so that none is ever put back.
 */
export class LlmEngine implements Engine {
  readonly #parts: Parts;
  readonly #pool: BlockPool;
  readonly #running: LlmJob[] = [];
  readonly #line = new Fifo<LlmJob>();
  readonly #done: Done = nothingDone();
  /** Without those that left and are still in the heap. */
  #runningCount = 0;
  #count = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#pool = new BlockPool(Math.floor(parts.kvTokens / parts.blockTokens));
  }

  get nextAtMs(): number {
    while (this.#running[0]?.hasLeft) popDue(this.#running);
    return this.#running[0]?.dueAtMs ?? Number.POSITIVE_INFINITY;
  }

  /** How many sequences have come so far. */
  get arrivals(): number {
    return this.#count;
  }

  /** Takes a sequence in. Gives `full` where the line is, and `too_long` for one that all the room there is would not hold. */
  submit(nowMs: number, ask: LlmAsk): LlmJob | 'full' | 'too_long' {
    this.advance(nowMs);
    if (this.#blocksOf(ask) > this.#pool.capacity) return 'too_long';
    const order = this.#count++;
    const rng = seededRng((this.#parts.seed >>> 0) + (order % 2 ** 20) * 2 ** 32);
    const job = new LlmJob(order, nowMs, rng, ask);
    if (this.#line.length === 0 && this.#start(job, nowMs)) return job;
    if (this.#line.length >= this.#parts.maxQueue) {
      this.#done.refused += 1;
      return 'full';
    }
    this.#line.push(job);
    return job;
  }

  /** Its client has gone: the sequence ends at once and gives its room to others, as in vLLM. */
  leave(job: LlmJob, nowMs: number): void {
    this.advance(nowMs);
    if (job.hasLeft || job.isFinished) return;
    job.hasLeft = true;
    this.#done.abandoned += 1;
    if (job.held === null) this.#line.remove(job);
    else this.#free(job);
    this.#startWaiting(nowMs);
  }

  advance(nowMs: number): void {
    while (this.nextAtMs <= nowMs) {
      const job = this.#running[0];
      if (job === undefined) return;
      popDue(this.#running);
      this.#token(job);
    }
  }

  load(): Load {
    const { maxSequences, blockTokens } = this.#parts;
    return {
      slots: maxSequences,
      running: this.#runningCount,
      waiting: this.#line.length,
      kv: {
        blockTokens,
        capacityTokens: this.#pool.capacity * blockTokens,
        heldTokens: this.#pool.held * blockTokens,
      },
      done: this.#done,
    };
  }

  #blocksOf({ prompt, outputTokens }: Pick<LlmAsk, 'prompt' | 'outputTokens'>): number {
    return Math.ceil((prompt.tokens + outputTokens) / this.#parts.blockTokens);
  }

  /** False where there is no room. */
  #start(job: LlmJob, atMs: number): boolean {
    const { maxSequences, blockTokens, isCachingPrefixes, prefill } = this.#parts;
    if (this.#runningCount >= maxSequences) return false;
    const { blocks, tokens } = job.prompt;
    const hits = isCachingPrefixes ? this.#pool.hits(blocks, blocks.length * blockTokens === tokens) : 0;
    job.held = this.#pool.hold(blocks, hits, this.#blocksOf(job));
    if (job.held === null) return false;
    this.#runningCount += 1;
    job.startedAtMs = atMs;
    job.cachedTokens = hits * blockTokens;
    this.#done.promptTokens += tokens;
    this.#done.cachedTokens += job.cachedTokens;
    this.#done.waitMs += job.waitMs;
    const meanMs = prefill.baseMs + prefill.perTokenMs * (tokens - job.cachedTokens);
    this.#continueAfter(job, atMs, meanMs, prefill.spreadMs);
    return true;
  }

  #startWaiting(atMs: number): void {
    for (let next = this.#line.first; next !== undefined && this.#start(next, atMs); next = this.#line.first)
      this.#line.shift();
  }

  #token(job: LlmJob): void {
    const atMs = job.dueAtMs;
    job.tokensOut += 1;
    this.#done.generatedTokens += 1;
    if (job.tokensOut === 1) this.#prefilled(job, atMs);
    if (job.isFinished) {
      this.#done.succeeded += 1;
      this.#done.serviceMs += atMs - job.startedAtMs;
      this.#free(job);
    }
    // Somebody may find room now: a place that came free, or a prompt of which more is there.
    if (job.isFinished || job.tokensOut === 1) this.#startWaiting(atMs);
    job.onToken(job);
    // Whoever was told may have let it go.
    if (job.isFinished || job.hasLeft) return;
    const { interToken } = this.#parts;
    this.#continueAfter(job, atMs, interToken.meanMs, interToken.spreadMs);
  }

  #prefilled(job: LlmJob, atMs: number): void {
    job.firstTokenAtMs = atMs;
    if (job.held !== null && this.#parts.isCachingPrefixes) this.#pool.publish(job.held, job.prompt.blocks);
  }

  #free(job: LlmJob): void {
    if (job.held !== null) this.#pool.release(job.held);
    job.held = null;
    this.#runningCount -= 1;
  }

  #continueAfter(job: LlmJob, atMs: number, meanMs: number, spreadMs: number): void {
    const widestMs = widestShare * meanMs;
    const offMs = Math.max(-widestMs, Math.min(spreadMs * normal(job.rng), widestMs));
    job.dueAtMs = this.#parts.pace.endAtMs(atMs, (meanMs + offMs) * this.#loadFactor());
    pushDue(this.#running, job);
  }

  /** Grows in a straight line from a batch of one to a full one (docs/latency-simulation.md, "Load factor"). */
  #loadFactor(): number {
    const { maxSequences, fullBatchFactor } = this.#parts;
    if (maxSequences === 1) return 1;
    return 1 + ((fullBatchFactor - 1) * (this.#runningCount - 1)) / (maxSequences - 1);
  }
}
