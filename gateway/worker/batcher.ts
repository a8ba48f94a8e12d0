import type { Tensor } from '../protocols/tensors.ts';
import type { Engine } from './engine.ts';
import { joinRows, splitRows } from './rows.ts';

/** A model as the batcher needs to know it. */
export interface BatchedModel {
  /** Under which the engine has it. */
  readonly key: string;
  /** Rows that may be computed at once; null for a model whose rows cannot be put together. */
  readonly maxBatch: number | null;
}

/** What a request gets back. */
export interface Computed {
  readonly outputs: readonly Tensor[];
  /** What the batch it was in took to compute. */
  readonly serviceMs: number;
  /** Rows in that batch. */
  readonly batchRows: number;
}

interface Job {
  readonly model: BatchedModel;
  readonly inputs: readonly Tensor[];
  readonly rows: number;
  /** Requests with the same signature can share a batch. */
  readonly signature: string;
  resolve(computed: Computed): void;
  reject(error: unknown): void;
}

interface Options {
  readonly engine: Engine;
  /** Told of every batch that was computed. */
  onBatch(model: string, rows: number, tookMs: number): void;
}

/**
 * Takes what is queued the moment the engine is free, without ever waiting for more: under load batches form by themselves, and a lone
 * request is computed at once. The oldest request decides which model is next.
 */
export class Batcher {
  readonly #options: Options;
  readonly #queue: Job[] = [];
  #computing = 0;
  #isRunning = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Requests that wait. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Requests that wait or are being computed. */
  get inFlight(): number {
    return this.#queue.length + this.#computing;
  }

  /** Computes one request. One whose signal fires while it waits is dropped, and rejects with the reason. */
  compute(model: BatchedModel, inputs: readonly Tensor[], signal: AbortSignal): Promise<Computed> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        const at = this.#queue.indexOf(job);
        if (at < 0) return;
        this.#queue.splice(at, 1);
        reject(signal.reason);
      };
      const rows = model.maxBatch === null ? 1 : (inputs[0]?.shape[0] ?? 1);
      const settled =
        <T>(settle: (value: T) => void) =>
        (value: T): void => {
          signal.removeEventListener('abort', leave);
          settle(value);
        };
      const job: Job = {
        model,
        inputs,
        rows,
        signature: signatureOf(model, inputs),
        resolve: settled(resolve),
        reject: settled(reject),
      };
      signal.addEventListener('abort', leave);
      this.#queue.push(job);
      if (!this.#isRunning) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (let batch = this.#takeBatch(); batch.length > 0; batch = this.#takeBatch()) {
      this.#computing = batch.length;
      try {
        await this.#computeBatch(batch);
      } catch (error) {
        if (batch.length === 1) this.#fail(batch[0], error);
        // One request may be what the model cannot compute; its neighbours must not fail with it.
        else for (const job of batch) await this.#computeBatch([job]).catch((own: unknown) => this.#fail(job, own));
      }
    }
    this.#isRunning = false;
  }

  #fail(job: Job | undefined, error: unknown): void {
    this.#computing -= 1;
    job?.reject(error);
  }

  async #computeBatch(batch: readonly Job[]): Promise<void> {
    const [first] = batch;
    if (first === undefined) return;
    const inputs = batch.length === 1 ? first.inputs : joinRows(batch.map((job) => job.inputs));
    const { outputs, tookMs } = await this.#options.engine.run(first.model.key, inputs);
    const rows = batch.reduce((sum, job) => sum + job.rows, 0);
    this.#options.onBatch(first.model.key, rows, tookMs);
    const parts =
      batch.length === 1
        ? [outputs]
        : splitRows(
            outputs,
            batch.map((job) => job.rows),
          );
    this.#computing -= batch.length;
    for (const [at, job] of batch.entries())
      job.resolve({ outputs: parts[at] ?? [], serviceMs: tookMs, batchRows: rows });
  }

  /** The oldest job and, as far as they fit, those behind it that can share its batch. */
  #takeBatch(): Job[] {
    const first = this.#queue.shift();
    if (first === undefined) return [];
    const batch = [first];
    const { maxBatch } = first.model;
    if (maxBatch === null) return batch;
    let rows = first.rows;
    for (let at = 0; at < this.#queue.length && rows < maxBatch; ) {
      const job = this.#queue[at];
      if (job === undefined || job.signature !== first.signature || rows + job.rows > maxBatch) {
        at += 1;
        continue;
      }
      this.#queue.splice(at, 1);
      batch.push(job);
      rows += job.rows;
    }
    return batch;
  }
}

/** The model and every input's dimensions but the first. */
function signatureOf(model: BatchedModel, inputs: readonly Tensor[]): string {
  return `${model.key} ${inputs.map(({ name, shape }) => `${name}:${shape.slice(1).join('x')}`).join(' ')}`;
}
