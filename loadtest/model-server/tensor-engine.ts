import { type Due, popDue, pushDue } from '../../gateway/kernel/due-heap.ts';
import type { Rng } from '../../gateway/kernel/rng.ts';
import { Fifo } from './fifo.ts';
import { type Done, type Engine, type Load, nothingDone } from './load.ts';
import type { Pace } from './pace.ts';
import type { WorkTime } from './work-time.ts';

interface Parts {
  readonly slots: number;
  /** Infinity for no bound. */
  readonly maxQueue: number;
  readonly workTime: WorkTime;
  readonly pace: Pace;
  readonly rng: Rng;
}

/** One request in a tensor server. */
export class TensorJob implements Due {
  readonly order: number;
  readonly arrivedAtMs: number;
  readonly rows: number;
  /** What it takes by itself. */
  readonly workMs: number;
  readonly onEnd: (job: TensorJob) => void;
  /** NaN while it waits. */
  startedAtMs = Number.NaN;
  /** When it ends; NaN while it waits. */
  dueAtMs = Number.NaN;
  hasLeft = false;

  constructor(
    order: number,
    arrivedAtMs: number,
    [rows, workMs]: readonly [number, number],
    onEnd: TensorJob['onEnd'],
  ) {
    this.order = order;
    this.arrivedAtMs = arrivedAtMs;
    this.rows = rows;
    this.workMs = workMs;
    this.onEnd = onEnd;
  }

  get waitMs(): number {
    return this.startedAtMs - this.arrivedAtMs;
  }

  get serviceMs(): number {
    return this.dueAtMs - this.startedAtMs;
  }
}

/** Some slots behind one line, first come, first served: M/G/c where arrivals are a Poisson process. */
export class TensorEngine implements Engine {
  readonly #parts: Parts;
  readonly #running: TensorJob[] = [];
  readonly #line = new Fifo<TensorJob>();
  readonly #done: Done = nothingDone();
  #count = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get nextAtMs(): number {
    return this.#running[0]?.dueAtMs ?? Number.POSITIVE_INFINITY;
  }

  /** Takes a request in, or gives null where the line is full. The service time is drawn now, so that it depends on nothing but the order of arrival. */
  submit(nowMs: number, rows: number, onEnd: TensorJob['onEnd']): TensorJob | null {
    this.advance(nowMs);
    const { workTime, rng, slots, maxQueue } = this.#parts;
    const job = new TensorJob(this.#count++, nowMs, [rows, workTime(rng, rows)], onEnd);
    if (this.#running.length < slots) this.#start(job, nowMs);
    else if (this.#line.length < maxQueue) this.#line.push(job);
    else {
      this.#done.refused += 1;
      return null;
    }
    return job;
  }

  /** Its client has gone: what waits is dropped, what runs is computed to its end for nobody, as in Triton. */
  leave(job: TensorJob, nowMs: number): void {
    this.advance(nowMs);
    if (job.hasLeft || job.dueAtMs <= nowMs) return;
    job.hasLeft = true;
    this.#done.abandoned += 1;
    if (Number.isNaN(job.startedAtMs)) this.#line.remove(job);
  }

  advance(nowMs: number): void {
    for (let job = this.#running[0]; job !== undefined && job.dueAtMs <= nowMs; job = this.#running[0]) {
      popDue(this.#running);
      const next = this.#line.shift();
      if (next !== undefined) this.#start(next, job.dueAtMs);
      if (!job.hasLeft) this.#end(job);
    }
  }

  load(): Load {
    const kv = { blockTokens: 0, capacityTokens: 0, heldTokens: 0 };
    const { slots } = this.#parts;
    return { slots, running: this.#running.length, waiting: this.#line.length, kv, done: this.#done };
  }

  #start(job: TensorJob, atMs: number): void {
    job.startedAtMs = atMs;
    job.dueAtMs = this.#parts.pace.endAtMs(atMs, job.workMs);
    pushDue(this.#running, job);
  }

  #end(job: TensorJob): void {
    this.#done.succeeded += 1;
    this.#done.rows += job.rows;
    this.#done.waitMs += job.waitMs;
    this.#done.serviceMs += job.serviceMs;
    job.onEnd(job);
  }
}
