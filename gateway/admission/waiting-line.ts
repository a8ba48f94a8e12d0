/** Who is next. First come, first served, with a way to the head for those who were served before and must come back. Every move is O(1). */
export class WaitingLine<T> {
  readonly #ends: Ends<T> = { first: null, last: null, length: 0 };

  get length(): number {
    return this.#ends.length;
  }

  /** Takes the last place. How long a line may become is for those to say who let people join. */
  join(item: T): Place<T> {
    return new Place(item, this.#ends, false);
  }

  /** Takes the first place. */
  joinAtHead(item: T): Place<T> {
    return new Place(item, this.#ends, true);
  }

  /** The places from the first to the last. One may leave while the walk stands on it. */
  *[Symbol.iterator](): Iterator<Place<T>> {
    let place = this.#ends.first;
    while (place !== null) {
      const next: Place<T> | null = place.next;
      yield place;
      place = next;
    }
  }
}

interface Ends<T> {
  first: Place<T> | null;
  last: Place<T> | null;
  length: number;
}

/** Somebody's place in a line. */
export class Place<T> {
  readonly item: T;
  /** The place behind this one. */
  next: Place<T> | null = null;
  #previous: Place<T> | null = null;
  #ends: Ends<T> | null;

  /** For the line only. */
  constructor(item: T, ends: Ends<T>, isAtHead: boolean) {
    this.item = item;
    this.#ends = ends;
    const neighbour = isAtHead ? ends.first : ends.last;
    if (isAtHead) {
      this.next = neighbour;
      ends.first = this;
      ends.last ??= this;
      if (neighbour !== null) neighbour.#previous = this;
    } else {
      this.#previous = neighbour;
      ends.last = this;
      ends.first ??= this;
      if (neighbour !== null) neighbour.next = this;
    }
    ends.length += 1;
  }

  /** Gives the place up, whether served or not; doing so twice changes nothing. */
  leave(): void {
    const ends = this.#ends;
    if (ends === null) return;
    this.#ends = null;
    if (this.#previous === null) ends.first = this.next;
    else this.#previous.next = this.next;
    if (this.next === null) ends.last = this.#previous;
    else this.next.#previous = this.#previous;
    ends.length -= 1;
  }
}
