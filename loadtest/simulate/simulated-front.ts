import type { Answer, AnswerHeaders, Request } from '../model-server/asked.ts';
import type { ModelServer } from '../model-server/model-server.ts';
import { isOpen, Reception } from '../model-server/reception.ts';
import type { SimulatedServer } from '../model-server/simulated-server.ts';
import type { Answerer, Asking } from './answerer.ts';
import type { Flow } from './flow.ts';

/** A simulated server as it is reached on the virtual clock: what a port is to it elsewhere. */
export class SimulatedFront implements Answerer {
  readonly #server: SimulatedServer;
  readonly #reception: Reception;
  /** Those on which somebody waits. */
  readonly #waiting = new Set<FlowAnswer>();

  constructor({ server, endpoint }: ModelServer) {
    this.#server = server;
    this.#reception = new Reception(server, endpoint);
    server.onEmptied = () => {
      for (const answer of this.#waiting) answer.reset();
    };
  }

  ask(request: Request, flow: Flow): Asking | null {
    if (!isOpen(this.#server.condition)) return null;
    const answer = new FlowAnswer(flow, () => this.#waiting.delete(answer));
    this.#waiting.add(answer);
    this.#reception.receive(request, answer);
    return answer;
  }

  /** Begins anew. */
  restart(seed: number): void {
    this.#server.restart(seed);
  }

  close(): void {
    this.#server.close();
  }
}

/** An answer that goes into a flow. */
class FlowAnswer implements Answer, Asking {
  hasBegun = false;
  readonly #flow: Flow;
  readonly #onEnd: () => void;
  #hasEnded = false;
  #onLost: () => void = () => {};

  constructor(flow: Flow, onEnd: () => void) {
    this.#flow = flow;
    this.#onEnd = onEnd;
  }

  whole(status: number, headers: AnswerHeaders, body: Buffer): void {
    this.begin(status, { ...headers, 'content-length': body.length });
    this.#flow.write(body);
    this.#complete();
  }

  begin(status: number, headers: AnswerHeaders): void {
    this.hasBegun = true;
    const fields = new Map<string, string>();
    for (const [name, value] of Object.entries(headers)) fields.set(name, `${value}`);
    this.#flow.head({ status, headers: fields });
  }

  write(piece: Buffer | string): void {
    this.#flow.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece);
  }

  end(last: string): void {
    this.write(last);
    this.#complete();
  }

  reset(): void {
    this.#flow.break();
    // An engine that lets its last token go is in the middle of its step.
    queueMicrotask(() => this.leave());
  }

  onLost(call: () => void): void {
    this.#onLost = call;
  }

  leave(): void {
    if (this.#hasEnded) return;
    this.#finish();
    this.#onLost();
  }

  #complete(): void {
    this.#flow.end();
    this.#finish();
  }

  #finish(): void {
    this.#hasEnded = true;
    this.#onEnd();
  }
}
