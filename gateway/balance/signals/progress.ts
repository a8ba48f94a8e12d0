/** How long what has happened counts: long enough for some answers, short enough to see a machine that has just become slow. */
const memoryMs = 400;

/** What is known already counts as much as this many answers. */
const priorAnswers = 4;

/**
 * How long a request takes just now. What is known of it, a mean over many, is corrected by the last moments: by the time that was spent on
 * requests, and by how many of them were answered, as in a gamma-Poisson model. A replica that slows down is seen to do so by what it does not
 * answer, before the first slow answer is there.
 */
export class Progress {
  #awaited = 0;
  #spentMs = 0;
  #answers = 0;
  #countedAtMs = 0;

  /** How many it is asked for and has not answered, and of them as many as `slots` are worked on. */
  begin(slots: number, nowMs: number): void {
    this.#count(slots, nowMs);
    this.#awaited += 1;
  }

  /** One was answered, or is waited for no longer. */
  end(isAnswered: boolean, slots: number, nowMs: number): void {
    this.#count(slots, nowMs);
    this.#awaited -= 1;
    if (isAnswered) this.#answers += 1;
  }

  correct(knownMs: number, slots: number, nowMs: number): number {
    const passedMs = nowMs - this.#countedAtMs;
    const kept = keptAfter(passedMs);
    const spentMs = this.#spentMs * kept + Math.min(this.#awaited, slots) * passedMs;
    return (spentMs + priorAnswers * knownMs) / (this.#answers * kept + priorAnswers);
  }

  #count(slots: number, nowMs: number): void {
    const passedMs = nowMs - this.#countedAtMs;
    const kept = keptAfter(passedMs);
    this.#spentMs = this.#spentMs * kept + Math.min(this.#awaited, slots) * passedMs;
    this.#answers *= kept;
    this.#countedAtMs = nowMs;
  }
}

/** Step by step the same as an exponential, at a fraction of its cost. */
function keptAfter(passedMs: number): number {
  return memoryMs / (memoryMs + passedMs);
}
