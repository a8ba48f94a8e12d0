import type { Dispatcher } from 'undici';
import type { Connections } from '../../gateway/upstream/undici-transport.ts';
import type { AnswerHead } from '../drive/answer-parser.ts';
import type { Answerer, Asking } from './answerer.ts';
import { Flow, type FlowReader } from './flow.ts';

/** What Node reads at once. */
const readBytes = 65_536;

/** What stands in the place of undici's connections to one replica, so that all of a gateway that is above them is the real thing. */
export class ReplicaConnections implements Connections {
  readonly #replica: Answerer;

  constructor(replica: Answerer) {
    this.#replica = replica;
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    new ReplicaCall(handler).begin(this.#replica, options);
    return true;
  }

  async close(): Promise<void> {}

  async destroy(): Promise<void> {}
}

/** One request on its way to a replica, as undici's handlers know it. */
class ReplicaCall implements Dispatcher.DispatchController, FlowReader {
  aborted = false;
  paused = false;
  reason: Error | null = null;
  readonly #handler: Dispatcher.DispatchHandler;
  readonly #flow = new Flow(this, readBytes);
  #asking: Asking | null = null;

  constructor(handler: Dispatcher.DispatchHandler) {
    this.#handler = handler;
  }

  begin(replica: Answerer, { method, path, headers, body }: Dispatcher.DispatchOptions): void {
    // Whoever dispatches is told of nothing before the call has returned.
    queueMicrotask(() => {
      const request = {
        method,
        path: path.split('?', 1)[0] ?? path,
        headers: fieldsOf(headers as readonly string[]),
        body: bytesOf(body),
      };
      if (this.aborted) return;
      this.#asking = replica.ask(request, this.#flow);
      if (this.#asking === null) this.#handler.onResponseError?.(this, new Error('connect ECONNREFUSED'));
      else this.#handler.onRequestStart?.(this, {});
    });
  }

  head({ status, headers }: AnswerHead): void {
    this.#handler.onResponseStart?.(this, status, Object.fromEntries(headers));
  }

  data(piece: Buffer): void {
    this.#handler.onResponseData?.(this, piece);
  }

  end(): void {
    this.#handler.onResponseEnd?.(this, {});
  }

  broken(): void {
    this.#handler.onResponseError?.(this, new Error('other side closed'));
  }

  abort(reason: Error): void {
    if (this.aborted || this.#flow.isOver) return;
    this.aborted = true;
    this.reason = reason;
    this.#flow.close();
    this.#asking?.leave();
    this.#handler.onResponseError?.(this, reason);
  }

  pause(): void {
    this.paused = true;
    this.#flow.pause();
  }

  resume(): void {
    this.paused = false;
    this.#flow.resume();
  }
}

function fieldsOf(list: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let at = 0; at + 1 < list.length; at += 2) fields[(list[at] ?? '').toLowerCase()] = list[at + 1] ?? '';
  return fields;
}

/** The gateway sends bodies whole. */
function bytesOf(body: unknown): Buffer {
  return body instanceof Uint8Array ? Buffer.from(body.buffer, body.byteOffset, body.byteLength) : Buffer.alloc(0);
}
