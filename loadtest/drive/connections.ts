import type { Clock } from '../../gateway/kernel/clock.ts';
import { Connection, type ConnectionEvents, type Destination } from './connection.ts';
import type { Sender, Sending, SendingEvents } from './sender.ts';

/** Node and uvicorn close what was idle for 5 s; a request that meets that is lost, and nobody's fault. */
const longestIdleMs = 4000;

interface Options {
  readonly destination: Destination;
  readonly clock: Clock;
  /** How many may be open at once; null for as many as it takes. */
  readonly most: number | null;
}

/** Connections to one target: the one last used is used next, and another is opened when none is free. */
export class Connections implements Sender, ConnectionEvents {
  readonly #options: Options;
  readonly #open = new Set<Connection>();
  readonly #free: Connection[] = [];
  /** Those for whom the number of connections does not suffice, the longest waiting first. */
  readonly #waiting = new Set<Waiting>();

  constructor(options: Options) {
    this.#options = options;
  }

  send(request: Buffer, events: SendingEvents): Sending {
    const connection = this.#obtain();
    if (connection === null) return this.#queue(request, events);
    connection.carry(request, events);
    return connection;
  }

  close(): void {
    this.#waiting.clear();
    for (const connection of this.#open) connection.destroy();
  }

  free(connection: Connection): void {
    const next = this.#nextWaiting();
    if (next !== null) {
      next.goOver(connection);
      return;
    }
    connection.freeSinceMs = this.#options.clock.nowMs();
    this.#free.push(connection);
  }

  gone(connection: Connection): void {
    if (!this.#open.delete(connection)) return;
    const at = this.#free.indexOf(connection);
    if (at >= 0) this.#free.splice(at, 1);
    const next = this.#nextWaiting();
    const another = next === null ? null : this.#obtain();
    if (another !== null) next?.goOver(another);
  }

  #nextWaiting(): Waiting | null {
    const [next] = this.#waiting;
    if (next === undefined) return null;
    this.#waiting.delete(next);
    return next;
  }

  /** One that can carry a request; null where there may be no more. */
  #obtain(): Connection | null {
    const { destination, clock, most } = this.#options;
    for (let last = this.#free.pop(); last !== undefined; last = this.#free.pop()) {
      if (clock.nowMs() - last.freeSinceMs <= longestIdleMs) return last;
      this.#open.delete(last);
      last.destroy();
    }
    if (most !== null && this.#open.size >= most) return null;
    const opened = new Connection(destination, this);
    this.#open.add(opened);
    return opened;
  }

  #queue(request: Buffer, events: SendingEvents): Sending {
    const waiting = new Waiting(request, events, () => this.#waiting.delete(waiting));
    this.#waiting.add(waiting);
    return waiting;
  }
}

/** A request that waits for a connection, and then goes over it. */
class Waiting implements Sending {
  readonly #request: Buffer;
  readonly #events: SendingEvents;
  readonly #forget: () => void;
  #connection: Connection | null = null;

  constructor(request: Buffer, events: SendingEvents, forget: () => void) {
    this.#request = request;
    this.#events = events;
    this.#forget = forget;
  }

  get isConnected(): boolean {
    return this.#connection?.isConnected ?? false;
  }

  goOver(connection: Connection): void {
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
