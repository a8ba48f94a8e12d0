/** How many bytes of requests, and of answers that several share, are held at the same time, over all exchanges and what goes on beside them. */
export class BufferRoom {
  readonly mostBytes: number;
  #heldBytes = 0;

  constructor(mostBytes: number) {
    this.mostBytes = mostBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Whether there was room for so many more, which are then held. */
  take(sizeBytes: number): boolean {
    if (this.#heldBytes + sizeBytes > this.mostBytes) return false;
    this.#heldBytes += sizeBytes;
    return true;
  }

  /** Holds so many more that are there already, whether or not there is room. */
  hold(sizeBytes: number): void {
    this.#heldBytes += sizeBytes;
  }

  giveBack(sizeBytes: number): void {
    this.#heldBytes -= sizeBytes;
  }
}
