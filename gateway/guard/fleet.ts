import type { Counts } from './breaker.ts';
import type { EjectionCause } from './gate.ts';

/** A gate as its siblings see it. */
export interface Sibling {
  readonly isOut: boolean;
  counts(): Counts;
}

/** The gates of one backend: how many of them may keep traffic out at the same time, and what is usual among them. */
export class Fleet {
  readonly #members = new Set<Sibling>();

  join(member: Sibling): void {
    this.#members.add(member);
  }

  leave(member: Sibling): void {
    this.#members.delete(member);
  }

  /** Whether a replica may be kept out for such a cause. A lone one is kept out when nothing can be sent to it, and for no other cause: a bad answer is better than none. */
  mayKeepOut(cause: EjectionCause): boolean {
    return this.#members.size > 1 || cause === 'unreachable';
  }

  /** Whether one more may be ejected: at most half of them, and always one. */
  mayEject(cause: EjectionCause): boolean {
    if (!this.mayKeepOut(cause)) return false;
    const { size } = this.#members;
    let out = 0;
    for (const { isOut } of this.#members) if (isOut) out += 1;
    return out < Math.max(1, Math.floor(size / 2));
  }

  /** What the others have counted, those left out that are ejected themselves. */
  countsOfOthers(than: Sibling): Counts {
    const sum = { succeeded: 0, clientErrors: 0, failed: 0 };
    for (const member of this.#members) {
      if (member === than || member.isOut) continue;
      const { succeeded, clientErrors, failed } = member.counts();
      sum.succeeded += succeeded;
      sum.clientErrors += clientErrors;
      sum.failed += failed;
    }
    return sum;
  }
}
