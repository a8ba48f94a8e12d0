import type { Decision } from '../balance/decision.ts';
import type { ErrorCode } from '../kernel/errors.ts';
import type { BodyEnd, ReplySource } from './reply.ts';
import type { CacheOutcome } from './sharing.ts';

/** What an exchange learned on its way. Stages note facts here; `account` reads them once, at the end. Instants are of the clock's `nowMs`; 0 means it did not happen. */
export class Journal {
  route = '';
  backend = '';
  replica = '';
  /** Why that replica, or none; null where nobody asked. */
  decision: Decision | null = null;
  /** The model as the client named it, and as the replica was asked for it; empty before that is known. */
  model = '';
  upstreamModel = '';
  /** When the body was in; where there is none, when its reading would have begun. */
  readAtMs = 0;
  tries = 0;
  /** A try failed that would have been made again, had the backend's budget not been spent. */
  isBudgetSpent = false;
  /** Spent in waiting lines, all tries together. */
  queueWaitMs = 0;
  /** It is in one since then; null while it is in none. */
  waitingSinceMs: number | null = null;
  /** When the try that answered was sent. */
  sentAtMs = 0;
  /** When its head came. */
  headAtMs = 0;
  firstByteAtMs = 0;
  endedAtMs = 0;
  bytesIn = 0;
  bytesOut = 0;
  /** As the answer counts them itself; 0 where it does not say. */
  inputTokens = 0;
  outputTokens = 0;
  status = 0;
  /** `ok` where the answer passed, whatever its status; else the code of the error. */
  code: ErrorCode | 'ok' = 'ok';
  source: ReplySource = 'refused';
  /** Null on routes that share no answers. */
  cache: CacheOutcome | null = null;
  bodyEnd: BodyEnd | null = null;
  /** What broke, for the log only: it may name internals that no client should read. */
  detail = '';

  /** Takes over what has been learned until now of work that this exchange has had a part in since `sinceMs`: of what went on before, it spent no time. Work of its own was begun for it. */
  learn(work: Journal, sinceMs: number, nowMs: number, isItsOwn: boolean): void {
    this.backend = work.backend;
    this.replica = work.replica;
    this.upstreamModel = work.upstreamModel;
    this.tries = work.tries;
    this.isBudgetSpent = work.isBudgetSpent;
    this.sentAtMs = work.sentAtMs === 0 ? 0 : Math.max(work.sentAtMs, sinceMs);
    this.headAtMs = work.headAtMs === 0 ? 0 : Math.max(work.headAtMs, sinceMs);
    const { waitingSinceMs } = work;
    this.queueWaitMs =
      Math.min(work.queueWaitMs, Math.max(0, this.sentAtMs - sinceMs)) +
      (waitingSinceMs === null ? 0 : nowMs - Math.max(waitingSinceMs, sinceMs));
    this.inputTokens = work.inputTokens;
    this.outputTokens = work.outputTokens;
    this.decision = work.decision;
    const isGiven = isItsOwn || work.cache === null || work.cache.kind === 'hit';
    this.cache = isGiven ? work.cache : { kind: 'forwarded', why: 'miss', isCollapsed: true };
  }
}
