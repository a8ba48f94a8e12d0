import { Lease } from '../balance/lease.ts';
import type { Replica } from '../balance/replica.ts';
import { asGatewayError } from '../kernel/errors.ts';
import type { Rng } from '../kernel/rng.ts';
import type { TimerWheel } from '../kernel/timer-wheel.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { Reply } from '../pipeline/reply.ts';
import { FailedTry } from './failed-try.ts';
import { tryHedged } from './hedge.ts';
import { noteRefusal } from './note-refusal.ts';
import { type TryParts, tryOnce } from './try-once.ts';

/** What tries in succession need. */
export interface RetryParts extends TryParts {
  readonly wheel: TimerWheel;
  readonly rng: Rng;
}

/** Full jitter below this before the second try, twice as much before the third, and so on up to the most (Envoy's). */
const backOffMs = 25;
const longestBackOffMs = 250;

/** Gets a lease and tries; what failed and may be made again is, on other replicas, as long as the backend's budget and the deadline let it. */
export async function tryBackend(exchange: Exchange, parts: RetryParts): Promise<Reply | FailedTry> {
  const { retrying, hedging } = exchange.choice.backend;
  exchange.expire(parts.clock);
  retrying.budget.deposit();
  let lease: Lease;
  try {
    const taken = takeLease(exchange, none, parts);
    lease = taken instanceof Lease ? taken : await taken;
  } catch (thrown) {
    noteRefusal(exchange);
    throw thrown;
  }
  const spent = [lease.replica];
  const ended =
    hedging === null
      ? await tryOnce({ exchange, lease, kind: 'first', cancellation: exchange.cancellation }, parts)
      : await tryHedged(exchange, lease, spent, { ...parts, hedging });
  return ended instanceof FailedTry ? retry(exchange, ended, spent, parts) : ended;
}

async function retry(
  exchange: Exchange,
  first: FailedTry,
  spent: Replica[],
  parts: RetryParts,
): Promise<Reply | FailedTry> {
  const { backend } = exchange.choice;
  const { maxTries } = backend.retrying;
  let last = first;
  // A copy that was sent beside the first try is one of them.
  for (let tries = spent.length; tries < maxTries && mayRetry(exchange, last, spent); tries++) {
    const wasSent = last.verdict.retry !== 'always';
    // Where nothing was sent or the work was declined, no replica has had any of it: there is nothing to hold back for.
    const pauseMs = wasSent && last.verdict.outcome !== 'refused' ? pauseBefore(tries, parts.rng) : 0;
    if (parts.clock.nowMs() + pauseMs >= exchange.deadlineMs) break;
    if (wasSent && !backend.retrying.budget.withdraw()) {
      exchange.journal.isBudgetSpent = true;
      break;
    }
    last.drop();
    if (pauseMs > 0) await pause(pauseMs, exchange, parts);
    const lease = await takeAnother(exchange, last, spent, parts);
    if (lease === null) break;
    const ended = await tryOnce({ exchange, lease, kind: 'retry', cancellation: exchange.cancellation }, parts);
    if (!(ended instanceof FailedTry)) return ended;
    spent.push(lease.replica);
    last = ended;
  }
  return last;
}

const none: readonly Replica[] = [];

/** Whether the work may be done again: nothing of it has been, or that does no harm. */
export function mayRunAgain({ choice, head }: Exchange, { verdict }: FailedTry): boolean {
  return verdict.retry === 'always' || choice.backend.retrying.isIdempotent || head.method === 'GET';
}

/** Whether it may, and there is another replica to do it. */
function mayRetry(exchange: Exchange, failed: FailedTry, spent: readonly Replica[]): boolean {
  const { cancellation, choice } = exchange;
  return (
    mayRunAgain(exchange, failed) && cancellation.reason === null && choice.backend.dispatcher.refusal(spent) === null
  );
}

function pauseBefore(tries: number, rng: Rng): number {
  return rng.next() * Math.min(longestBackOffMs, backOffMs * 2 ** (tries - 1));
}

/** Rejects with the reason of the cancellation where that comes first. */
function pause(forMs: number, { cancellation }: Exchange, { wheel, clock }: RetryParts): Promise<void> {
  return new Promise((resolve, reject) => {
    const alarm = wheel.arm(clock.nowMs() + forMs, () => {
      cancellation.off(stop);
      resolve();
    });
    const stop = (reason: Error): void => {
      alarm.disarm();
      reject(reason);
    };
    cancellation.onCancel(stop);
  });
}

function takeLease(exchange: Exchange, notThese: readonly Replica[], { clock }: RetryParts): Lease | Promise<Lease> {
  const taken = exchange.choice.backend.dispatcher.take(exchange, notThese);
  if (taken instanceof Lease) return taken;
  const { journal } = exchange;
  const startedAtMs = clock.nowMs();
  journal.waitingSinceMs = startedAtMs;
  return taken.finally(() => {
    journal.queueWaitMs += clock.nowMs() - startedAtMs;
    journal.waitingSinceMs = null;
  });
}

/** A lease on any other replica; null where there is none to be had any more, and the failure stands. Throws when nobody waits for one, or the failure was an answer that has been given up. */
async function takeAnother(
  exchange: Exchange,
  { error }: FailedTry,
  notThese: readonly Replica[],
  parts: RetryParts,
): Promise<Lease | null> {
  try {
    return await takeLease(exchange, notThese, parts);
  } catch (thrown) {
    exchange.cancellation.throwIfCancelled();
    if (error === null) throw asGatewayError(thrown);
    return null;
  }
}
