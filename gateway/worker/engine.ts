import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Tensor } from '../protocols/tensors.ts';
import { RequestFault } from './fault.ts';
import type { ModelMetadata } from './metadata.ts';

/** What the engine's thread can be asked to do. */
export type EngineRequest =
  | { readonly kind: 'load'; readonly key: string; readonly file: string }
  | { readonly kind: 'run'; readonly key: string; readonly inputs: readonly Tensor[] };

/** What it answers, to each request once and in their order. */
export type EngineAnswer =
  | { readonly kind: 'loaded'; readonly metadata: ModelMetadata }
  | { readonly kind: 'done'; readonly outputs: readonly Tensor[]; readonly tookMs: number }
  | { readonly kind: 'failed'; readonly message: string };

/** What a run gave. */
export interface RunResult {
  readonly outputs: readonly Tensor[];
  /** The computation alone. */
  readonly tookMs: number;
}

/** Computes models; one call at a time. */
export interface Engine {
  /** Rejects with what is wrong with the file. */
  load(key: string, file: string): Promise<ModelMetadata>;
  /** Rejects with what the model says of its inputs, as a `RequestFault` where they are at fault. */
  run(key: string, inputs: readonly Tensor[]): Promise<RunResult>;
}

interface Options {
  /** Threads each computation may use. */
  readonly threads: number;
  /** What the thread runs, if not onnxruntime. */
  readonly program?: string;
  /** Told when the thread has ended by itself: nothing can be computed any more, and the process had better end. */
  onEnd(error: Error): void;
}

/** `.js` where this was compiled. */
const engineThread = join(import.meta.dirname, `engine-thread${extname(import.meta.filename)}`);

interface Pending {
  resolve(answer: EngineAnswer): void;
  reject(error: Error): void;
}

/**
 * onnxruntime on a thread of its own. It has no way to be stopped: ending a thread in the middle of a run aborts the process
 * (onnxruntime-node 1.30), which is why every worker is a process that can be killed whole.
 */
export class ThreadEngine implements Engine {
  readonly #thread: Worker;
  #pending: Pending | null = null;
  #end: Error | null = null;

  constructor({ threads, onEnd, program = engineThread }: Options) {
    this.#thread = new Worker(program, { workerData: { threads } });
    this.#thread.on('message', (answer: EngineAnswer) => this.#take()?.resolve(answer));
    const ended = (error: Error): void => {
      if (this.#end !== null) return;
      this.#end = error;
      this.#take()?.reject(error);
      onEnd(error);
    };
    this.#thread.on('error', ended);
    this.#thread.on('messageerror', ended);
    this.#thread.on('exit', (code) => ended(new Error(`the engine's thread exited with code ${code}`)));
  }

  async load(key: string, file: string): Promise<ModelMetadata> {
    const answer = await this.#ask({ kind: 'load', key, file });
    if (answer.kind !== 'loaded') throw unexpected(answer);
    return answer.metadata;
  }

  async run(key: string, inputs: readonly Tensor[]): Promise<RunResult> {
    const answer = await this.#ask({ kind: 'run', key, inputs });
    if (answer.kind === 'failed' && !/alloc/i.test(answer.message))
      throw new RequestFault(400, `inputs: the model cannot compute with them: ${answer.message}`);
    if (answer.kind !== 'done') throw unexpected(answer);
    return answer;
  }

  /** Ends the thread, which must be idle. */
  async close(): Promise<void> {
    this.#end = new Error('the engine was closed');
    await this.#thread.terminate();
  }

  #ask(request: EngineRequest): Promise<EngineAnswer> {
    if (this.#end !== null) throw this.#end;
    if (this.#pending !== null) throw new Error('the engine is busy: it takes one call at a time');
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject };
      this.#thread.postMessage(request);
    });
  }

  #take(): Pending | null {
    const pending = this.#pending;
    this.#pending = null;
    return pending;
  }
}

function unexpected(answer: EngineAnswer): Error {
  return new Error(answer.kind === 'failed' ? answer.message : `the engine answered ${answer.kind}`);
}
