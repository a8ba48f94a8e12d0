import type { Clock } from '../../gateway/kernel/clock.ts';
import type { Carrier, CarrierEvents, Sender, Sending, SendingEvents } from './sender.ts';

/** Node and uvicorn close what was idle for 5 s; a request that meets that is lost, and nobody's fault. */
const longestIdleMs = 4000;

interface Options<Request> {
  /** Opens one more. */
  readonly open: (owner: CarrierEvents<Request>) => Carrier<Request>;
  readonly clock: Clock;
  /** How many may be open at once; null for as many as it takes. */
  readonly most: number | null;
}

/** Connections to one target: the one last used is used next, and another is opened when none is free. */
export class Connections<Request = Buffer> implements Sender<Request>, CarrierEvents<Request> {
  readonly #options: Options<Request>;
  readonly #open = new Set<Carrier<Request>>();
  readonly #free: Carrier<Request>[] = [];
  /** Those for whom the number of connections does not suffice, the longest waiting first. */
  readonly #waiting = new Set<Waiting<Request>>();

  constructor(options: Options<Request>) {
    this.#options = options;
  }

  send(request: Request, events: SendingEvents): Sending {
    const connection = this.#obtain();
    if (connection === null) return this.#queue(request, events);
    connection.carry(request, events);
    return connection;
  }

  close(): void {
    this.#waiting.clear();
    for (const connection of this.#open) connection.destroy();
  }

  free(connection: Carrier<Request>): void {
    const next = this.#nextWaiting();
    if (next !== null) {
      next.goOver(connection);
      return;
    }
    connection.freeSinceMs = this.#options.clock.nowMs();
    this.#free.push(connection);
  }

  gone(connection: Carrier<Request>): void {
    if (!this.#open.delete(connection)) return;
    const at = this.#free.indexOf(connection);
    if (at >= 0) this.#free.splice(at, 1);
    const next = this.#nextWaiting();
    const another = next === null ? null : this.#obtain();
    if (another !== null) next?.goOver(another);
  }

  #nextWaiting(): Waiting<Request> | null {
    const [next] = this.#waiting;
    if (next === undefined) return null;
    this.#waiting.delete(next);
    return next;
  }

  /** One that can carry a request; null where there may be no more. */
  #obtain(): Carrier<Request> | null {
    const { open, clock, most } = this.#options;
    for (let last = this.#free.pop(); last !== undefined; last = this.#free.pop()) {
      if (clock.nowMs() - last.freeSinceMs <= longestIdleMs) return last;
      this.#open.delete(last);
      last.destroy();
    }
    if (most !== null && this.#open.size >= most) return null;
    const opened = open(this);
    this.#open.add(opened);
    return opened;
  }

  #queue(request: Request, events: SendingEvents): Sending {
    const waiting: Waiting<Request> = new Waiting(request, events, () => this.#waiting.delete(waiting));
    this.#waiting.add(waiting);
    return waiting;
  }
}

/** A request that waits for a connection, and then goes over it. */
class Waiting<Request> implements Sending {
  readonly #request: Request;
  readonly #events: SendingEvents;
  readonly #forget: () => void;
  #connection: Carrier<Request> | null = null;

  constructor(request: Request, events: SendingEvents, forget: () => void) {
    this.#request = request;
    this.#events = events;
    this.#forget = forget;
  }

  get isConnected(): boolean {
    return this.#connection?.isConnected ?? false;
  }

  goOver(connection: Carrier<Request>): void {
    this.#connection = connection;
    connection.carry(this.#request, this.#events);
  }

  leave(): void {
    this.#forget();
    this.#connection?.leave();
  }

  pause(): void {
    this.#connection?.pause();
  }

  resume(): void {
    this.#connection?.resume();
  }
}
