import type { Replica } from '../balance/replica.ts';
import type { GatewayError } from '../kernel/errors.ts';
import type { Reply } from '../pipeline/reply.ts';
import type { Verdict } from '../upstream/classify.ts';

interface Parts {
  readonly verdict: Verdict;
  readonly replica: Replica;
  /** Why there is no answer to pass on; null where there is one. */
  readonly error: GatewayError | null;
  pass(): Promise<Reply>;
  drop(): void;
}

/** A try that failed and may be made again. Whoever holds it passes it on or drops it, once. */
export class FailedTry {
  readonly verdict: Verdict;
  readonly replica: Replica;
  readonly error: GatewayError | null;
  /** Gives its client what came of it: the answer of the replica, or a rejection. */
  readonly pass: () => Promise<Reply>;
  /** Gives up its answer; its lease ends with what it said. */
  readonly drop: () => void;

  constructor({ verdict, replica, error, pass, drop }: Parts) {
    this.verdict = verdict;
    this.replica = replica;
    this.error = error;
    this.pass = pass;
    this.drop = drop;
  }
}
