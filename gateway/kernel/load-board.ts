const fieldsPerSlot = 1;
const inFlightAt = 0;

/**
 * The numbers by which replicas are compared, in one typed array over shared memory: a scan of all replicas touches a few
 * cache lines, and threads that serve the same port can share it. Slots are handed out for the life of a replica.
 */
export class LoadBoard {
  readonly #cells: Int32Array;
  readonly #free: number[] = [];

  constructor(capacity = 4096) {
    this.#cells = new Int32Array(new SharedArrayBuffer(capacity * fieldsPerSlot * Int32Array.BYTES_PER_ELEMENT));
    for (let slot = capacity - 1; slot >= 0; slot--) this.#free.push(slot);
  }

  /** Throws when every slot is taken: more replicas than the board was made for. */
  takeSlot(): BoardSlot {
    const slot = this.#free.pop();
    if (slot === undefined) throw new RangeError('the load board is full');
    this.#cells.fill(0, slot * fieldsPerSlot, (slot + 1) * fieldsPerSlot);
    return new BoardSlot(this.#cells, slot * fieldsPerSlot);
  }

  /** Gives a removed replica's slot back; the replica's meter must not be used afterwards. */
  returnSlot(slot: BoardSlot): void {
    this.#free.push(slot.offset / fieldsPerSlot);
  }
}

/** One replica's row on the board. */
export class BoardSlot {
  readonly offset: number;
  readonly #cells: Int32Array;

  constructor(cells: Int32Array, offset: number) {
    this.#cells = cells;
    this.offset = offset;
  }

  /** Requests this gateway has sent to the replica and not yet seen end. */
  get inFlight(): number {
    return this.#cells[this.offset + inFlightAt] ?? 0;
  }

  addInFlight(change: 1 | -1): void {
    Atomics.add(this.#cells, this.offset + inFlightAt, change);
  }
}
