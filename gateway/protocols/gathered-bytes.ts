const leastBytes = 1024;

/** Bytes gathered from pieces of any size at a cost in proportion to their number, however small the pieces are. */
export class GatheredBytes {
  #room: Buffer = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Valid until something is added or forgotten. */
  get bytes(): Buffer {
    return this.#room.subarray(0, this.#length);
  }

  add(piece: Uint8Array): void {
    const needed = this.#length + piece.length;
    if (needed > this.#room.length) {
      const room = Buffer.allocUnsafeSlow(Math.max(leastBytes, needed, 2 * this.#room.length));
      room.set(this.bytes);
      this.#room = room;
    }
    this.#room.set(piece, this.#length);
    this.#length = needed;
  }

  /** Forgets all but the last bytes. */
  keepLast(count: number): void {
    if (count >= this.#length) return;
    this.#room.copyWithin(0, this.#length - count, this.#length);
    this.#length = count;
  }
}
