import type { ReplicaState } from './replica-state.ts';

/** What is known of one beginning of prompts. */
interface Place {
  /** The replica that last got a prompt with it. */
  state: ReplicaState;
  /** Requests with it. */
  requests: number;
  /** How many requests had come before the first of them. */
  readonly sinceRequest: number;
  /** In how many ways prompts went on from it, those that ended there included. */
  branches: number;
}

/**
 * Which replica got the prompts with which beginnings, and so has what it computed for them in its cache. Bounded: what has not been asked for
 * longest is forgotten, of one prompt its end before its beginning, as caches of keys and values do it.
 */
export class PrefixPlaces {
  /** The one to be forgotten first in front. */
  readonly #places = new Map<number, Place>();
  readonly #most: number;
  #requests = 0;

  /** With a bound for how many beginnings are kept. */
  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#places.size;
  }

  /** Who last got the longest beginning of a prompt that anybody got; null where nobody did, or where it does not tell conversations apart. */
  find(prefix: readonly number[], replicas: number): ReplicaState | null {
    for (let at = prefix.length - 1; at >= 0; at--) {
      const place = this.#places.get(prefix[at] ?? 0);
      if (place !== undefined) return this.#isCommon(place, replicas) ? null : place.state;
    }
    return null;
  }

  /** A replica gets a prompt. */
  note(prefix: readonly number[], state: ReplicaState): void {
    // To end is a way of its own: nobody knows yet how the conversation will go on.
    let branches = 1;
    for (let at = prefix.length - 1; at >= 0; at--) {
      const key = prefix[at] ?? 0;
      const known = this.#places.get(key);
      const place = known ?? { state, requests: 0, sinceRequest: this.#requests, branches: 0 };
      place.state = state;
      place.requests += 1;
      place.branches += branches;
      branches = known === undefined ? 1 : 0;
      this.#places.delete(key);
      this.#places.set(key, place);
    }
    this.#requests += 1;
    this.#forget();
  }

  /** A system prompt, say: it goes on in many ways, and more requests begin with it than one replica can have. */
  #isCommon({ branches, requests, sinceRequest }: Place, replicas: number): boolean {
    return branches > replicas && requests * replicas > this.#requests - sinceRequest;
  }

  #forget(): void {
    for (const key of this.#places.keys()) {
      if (this.#places.size <= this.#most) return;
      this.#places.delete(key);
    }
  }
}
