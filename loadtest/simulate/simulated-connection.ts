import type { AnswerHead } from '../drive/answer-parser.ts';
import { readBytes } from '../drive/connection.ts';
import type { Carrier, CarrierEvents, Failure, SendingEvents } from '../drive/sender.ts';
import type { Request } from '../model-server/asked.ts';
import type { Answerer, Asking } from './answerer.ts';
import { Flow, type FlowReader } from './flow.ts';

/** A client's connection on the virtual clock. */
export class SimulatedConnection implements Carrier<Request>, FlowReader {
  isConnected = false;
  freeSinceMs = 0;
  readonly #answerer: Answerer;
  readonly #owner: CarrierEvents<Request>;
  #events: SendingEvents | null = null;
  #flow: Flow | null = null;
  #asking: Asking | null = null;

  constructor(answerer: Answerer, owner: CarrierEvents<Request>) {
    this.#answerer = answerer;
    this.#owner = owner;
  }

  carry(request: Request, events: SendingEvents): void {
    this.#events = events;
    events.sent();
    this.#flow = new Flow(this, readBytes);
    this.#asking = this.#answerer.ask(request, this.#flow);
    this.isConnected = this.#asking !== null;
    if (!this.isConnected) queueMicrotask(() => this.#fail('unreachable'));
  }

  head(head: AnswerHead): void {
    this.#events?.head(head);
  }

  data(piece: Buffer): void {
    this.#events?.body(piece, 0, piece.length);
  }

  end(): void {
    const events = this.#events;
    this.#events = null;
    this.#asking = null;
    this.#owner.free(this);
    events?.end();
  }

  broken(): void {
    this.#fail('broken');
  }

  leave(): void {
    this.#events = null;
    this.destroy();
    this.#owner.gone(this);
  }

  pause(): void {
    this.#flow?.pause();
  }

  resume(): void {
    this.#flow?.resume();
  }

  destroy(): void {
    this.#flow?.close();
    this.#asking?.leave();
    this.#asking = null;
  }

  #fail(why: Failure): void {
    const events = this.#events;
    this.#events = null;
    this.destroy();
    this.#owner.gone(this);
    events?.failed(why);
  }
}
