import type { Rng } from '../../gateway/kernel/rng.ts';
import type { RequestRecord } from '../measure/record.ts';

/** A record and the number it drew. */
export interface Ticket {
  readonly draw: number;
  readonly record: RequestRecord;
}

/**
 * A fair sample of at most `capacity` records from however many: each draws a number, and the lowest stay. Two samples
 * merge by the same rule, so that those of several processes are as fair as one of all.
 */
export class Sample {
  readonly #capacity: number;
  readonly #rng: Rng;
  /** Cut back whenever it holds twice the capacity, which costs one sort for that many records. */
  #tickets: Ticket[] = [];
  /** Draws beyond it are out: the longer a run, the fewer come in, and the rarer the cuts, which hold up whoever counts. */
  #highestDraw = 1;

  constructor(capacity: number, rng: Rng) {
    this.#capacity = capacity;
    this.#rng = rng;
  }

  add(record: RequestRecord): void {
    this.#insert({ draw: this.#rng.next(), record });
  }

  /** What `merge` of a sample in another process takes. */
  encode(): readonly Ticket[] {
    this.#cut();
    return this.#tickets;
  }

  merge(tickets: readonly Ticket[]): void {
    for (const ticket of tickets) this.#insert(ticket);
  }

  /** In the order of the schedule. */
  records(): RequestRecord[] {
    this.#cut();
    return this.#tickets.map(({ record }) => record).toSorted((a, b) => a.index - b.index);
  }

  #insert(ticket: Ticket): void {
    if (ticket.draw > this.#highestDraw) return;
    this.#tickets.push(ticket);
    if (this.#tickets.length >= 2 * this.#capacity) this.#cut();
  }

  #cut(): void {
    if (this.#tickets.length <= this.#capacity) return;
    this.#tickets.sort((a, b) => a.draw - b.draw);
    this.#tickets.length = this.#capacity;
    this.#highestDraw = this.#tickets.at(-1)?.draw ?? 1;
  }
}
