/** The bytes of one page. Small ones waste less of the last, large ones are gone through faster. */
export const pageBytes = 1024;

/** What a page takes: its bytes, and which one is behind it. */
export const pageCostBytes: number = pageBytes + Int32Array.BYTES_PER_ELEMENT;

const slabPages = 1024;
const none = -1;

/**
 * Memory in pages, so that what is given back is used again at once: buffers of their own would stay until the collector comes by, and
 * leave holes that fit nothing. It is taken from the system as it is first needed, and kept.
 */
export class PageMemory {
  readonly #slabs: Buffer[] = [];
  /** The page behind each page, of what is written or of what is free. */
  readonly #next: Int32Array;
  #firstFree = none;
  /** Pages that were ever used; those behind them have no slab yet, or never had anything in them. */
  #touched = 0;
  #used = 0;

  constructor(pageCount: number) {
    this.#next = new Int32Array(pageCount);
  }

  get freePages(): number {
    return this.#next.length - this.#used;
  }

  /** Takes in some bytes, one part behind the other, and gives the first of their pages. There must be room for them. */
  write(parts: readonly Uint8Array[]): number {
    let first = none;
    let page = none;
    let at = pageBytes;
    for (const { buffer, byteOffset, length } of parts) {
      const part = Buffer.from(buffer, byteOffset, length);
      let from = 0;
      while (from < length) {
        if (at === pageBytes) {
          page = this.#takeBehind(page);
          at = 0;
          if (first === none) first = page;
        }
        const copied = part.copy(this.#slabOf(page), offsetOf(page) + at, from, from + pageBytes - at);
        at += copied;
        from += copied;
      }
    }
    return first;
  }

  /** A copy of what was written there. */
  read(first: number, sizeBytes: number): Buffer {
    const bytes = Buffer.allocUnsafe(sizeBytes);
    let page = first;
    for (let at = 0; at < sizeBytes; at += pageBytes) {
      const from = offsetOf(page);
      this.#slabOf(page).copy(bytes, at, from, from + Math.min(pageBytes, sizeBytes - at));
      page = this.#next[page] ?? none;
    }
    return bytes;
  }

  /** Gives back what was written there. */
  free(first: number): void {
    let page = first;
    while (page !== none) {
      const behind = this.#next[page] ?? none;
      this.#next[page] = this.#firstFree;
      this.#firstFree = page;
      this.#used -= 1;
      page = behind;
    }
  }

  #takeBehind(page: number): number {
    const taken = this.#take();
    this.#next[taken] = none;
    if (page !== none) this.#next[page] = taken;
    return taken;
  }

  #take(): number {
    if (this.freePages === 0) throw new RangeError('no page is free');
    this.#used += 1;
    if (this.#firstFree === none) return this.#touched++;
    const page = this.#firstFree;
    this.#firstFree = this.#next[page] ?? none;
    return page;
  }

  #slabOf(page: number): Buffer {
    const at = Math.floor(page / slabPages);
    const slab = this.#slabs[at];
    if (slab !== undefined) return slab;
    const pages = Math.min(slabPages, this.#next.length - at * slabPages);
    const fresh = Buffer.allocUnsafeSlow(pages * pageBytes);
    this.#slabs[at] = fresh;
    return fresh;
  }
}

/** How many pages so many bytes take. */
export function pagesFor(sizeBytes: number): number {
  return Math.ceil(sizeBytes / pageBytes);
}

function offsetOf(page: number): number {
  return (page % slabPages) * pageBytes;
}
