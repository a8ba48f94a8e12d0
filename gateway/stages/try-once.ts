import type { Lease } from '../balance/lease.ts';
import type { Cancellation } from '../kernel/cancellation.ts';
import type { Clock } from '../kernel/clock.ts';
import { asGatewayError, type ErrorCode, GatewayError } from '../kernel/errors.ts';
import type { Topic } from '../kernel/topic.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { HeaderList } from '../pipeline/headers.ts';
import type { Body, BodyEnd, Reply } from '../pipeline/reply.ts';
import type { TryFact, TryKind } from '../pipeline/try-fact.ts';
import {
  abandoned,
  brokenOff,
  isOurCredentialBad,
  unanswered,
  type Verdict,
  verdictOfError,
  verdictOfStatus,
} from '../upstream/classify.ts';
import { requestHeaders } from '../upstream/headers.ts';
import { hearReport } from '../upstream/hear-report.ts';
import { type BodyObserver, ObservedBody } from '../upstream/observe-body.ts';
import { retryAfterMs, withRetryAfter } from '../upstream/retry-after.ts';
import type { Transport, UpstreamReply } from '../upstream/transport.ts';
import { FailedTry } from './failed-try.ts';
import { holdFirstChunk } from './first-chunk.ts';

/** What tries need besides their exchange and their lease. */
export interface TryParts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly tried: Topic<TryFact>;
}

/** One try: for whom, where, and what it is. */
export interface Try {
  readonly exchange: Exchange;
  readonly lease: Lease;
  readonly kind: TryKind;
  /** Ends this try; the exchange's own unless there are others beside it. */
  readonly cancellation: Cancellation;
}

/**
 * One send to one replica. The lease ends with the last byte of the answer, or here when there is none. What failed and may be tried again
 * is given as such; throws what may not, and the reason of the cancellation.
 */
export async function tryOnce(one: Try, parts: TryParts): Promise<Reply | FailedTry> {
  const { exchange, lease, cancellation } = one;
  const watch = new TryWatch(one, parts.tried, parts.clock.nowMs());
  let reply: UpstreamReply;
  try {
    reply = await send(one, watch.sentAtMs, parts);
  } catch (thrown) {
    const error = asGatewayError(thrown);
    const isUnanswered = gaveUp.includes(error.code) && parts.clock.nowMs() - watch.sentAtMs >= patienceMs;
    const verdict = isUnanswered ? unanswered : verdictOfError(error);
    if (verdict.outcome === 'failed') lease.replica.state.noteFailure(describeFailure(error));
    watch.settle(verdict);
    return failedBy(error, verdict, lease);
  }
  watch.headAtMs = parts.clock.nowMs();
  if (exchange.choice.backend.wantsReports) hear(reply, lease);
  watch.verdict = verdictOfStatus(reply.status, exchange.head.endpoint.isAboutModel);
  if (watch.verdict.outcome === 'failed') lease.replica.state.noteFailure(`status ${reply.status}`);
  const headers = watch.verdict.outcome === 'refused' ? rest(reply, lease, parts.clock) : reply.headers;
  const body = new ObservedBody(reply.body, watch);
  exchange.expire(parts.clock);
  if (cancellation.reason !== null) {
    body.discard();
    throw cancellation.reason;
  }
  if (isOurCredentialBad(reply.status)) return withheld(badCredential(reply.status, lease), watch, body, lease);
  if (watch.verdict.retry !== 'never') return failedWith({ ...reply, headers, body }, one, watch);
  const { holdsFirstChunk, hedging } = exchange.choice.backend;
  // Servers of streams send their head at once: where two race, the first byte decides.
  if (holdsFirstChunk || (hedging !== null && exchange.ask.isStreaming))
    return passFirstChunk(reply, one, watch, parts);
  observe(one, watch, watch.headAtMs);
  return passOn({ ...reply, body }, one, watch);
}

/** Without an answer so long after it was sent, a request that is given up says something of its replica. Clients that are in more of a hurry than that say it of themselves. */
const patienceMs = 250;
const gaveUp: readonly ErrorCode[] = ['deadline_exceeded', 'client_left'];

/** What fails or declines at once says nothing of how long an answer takes. */
function observe({ exchange }: Try, { verdict, sentAtMs }: TryWatch, atMs: number): void {
  if (verdict.outcome === 'succeeded') exchange.choice.backend.hedging?.observe(atMs - sentAtMs);
}

function passOn(reply: Reply, one: Try, watch: TryWatch): Reply | Promise<Reply> {
  const { protocol, choice } = one.exchange;
  const passed = protocol.translate(reply, one.exchange, choice.upstreamModel);
  if (!(passed instanceof Promise)) {
    note(one, watch);
    return passed;
  }
  return passed.then((translated) => {
    note(one, watch);
    return translated;
  });
}

/** Of several tries beside each other, the one whose answer is passed on is the one that is told of, though the head of another came later. */
function note({ exchange: { journal }, lease, cancellation }: Try, { sentAtMs, headAtMs }: TryWatch): void {
  if (cancellation.reason !== null) return;
  journal.replica = lease.replica.fullName;
  journal.sentAtMs = sentAtMs;
  journal.headAtMs = headAtMs;
  journal.decision = lease.decision;
}

/** A body that breaks off before its first byte is as if there had been no answer. It is looked at before anybody is told of its end, which may have come with its beginning. */
async function passFirstChunk(
  reply: Reply,
  one: Try,
  watch: TryWatch,
  { clock }: TryParts,
): Promise<Reply | FailedTry> {
  const held = await holdFirstChunk(reply);
  const body = new ObservedBody(held.body, watch);
  if (one.cancellation.reason !== null) {
    body.discard();
    throw one.cancellation.reason;
  }
  if (held.error === null) {
    observe(one, watch, clock.nowMs());
    return passOn({ ...reply, body }, one, watch);
  }
  watch.verdict = verdictOfError(held.error);
  return withheld(held.error, watch, body, one.lease);
}

function send({ exchange, lease, cancellation }: Try, sentAtMs: number, parts: TryParts): Promise<UpstreamReply> {
  const { journal, deadlineMs, head } = exchange;
  const { backend, upstreamModel, route } = exchange.choice;
  journal.tries += 1;
  journal.replica = lease.replica.fullName;
  journal.upstreamModel = upstreamModel;
  journal.sentAtMs = sentAtMs;
  journal.decision = lease.decision;
  const { without, method, path, body } = exchange.protocol.write(exchange, upstreamModel);
  const headers = requestHeaders(head.headers, {
    requestId: exchange.id,
    remainingMs: deadlineMs === Number.POSITIVE_INFINITY ? null : deadlineMs - sentAtMs,
    wantsReport: backend.wantsReports,
    without,
    only: route.sharing?.headers ?? null,
    own: lease.replica.address.headers,
  });
  const timeouts = exchange.ask.isStreaming ? backend.streamTimeouts : backend.timeouts;
  return parts.transport.send(lease.replica, { method, path, body, headers, sentAtMs }, timeouts, cancellation);
}

function hear(reply: UpstreamReply, lease: Lease): void {
  const report = hearReport(lease.replica, reply, 'reply');
  if (report !== null) lease.report(report);
}

/** The replica gets no requests for a while. Gives the headers of its answer, which tell a client that gets it for how long. */
function rest({ headers }: UpstreamReply, { replica }: Lease, clock: Clock): HeaderList {
  const { rest } = replica.state;
  rest.begin(retryAfterMs(headers, clock));
  return withRetryAfter(headers, (rest.untilMs ?? 0) - clock.nowMs(), clock);
}

function describeFailure({ message, cause }: GatewayError): string {
  return cause instanceof Error ? cause.message : message;
}

/** It got no answer that could be passed on. */
function failedBy(error: GatewayError, verdict: Verdict, { replica }: Lease): FailedTry {
  if (verdict.retry === 'never') throw error;
  return new FailedTry({ verdict, replica, error, pass: () => Promise.reject(error), drop: () => {} });
}

/** It got an answer that is for no client. */
function withheld(error: GatewayError, watch: TryWatch, body: Body, lease: Lease): FailedTry {
  watch.drop(body);
  return failedBy(error, watch.verdict, lease);
}

/** Its answer says that it failed; should there be no better one, it is passed on. */
function failedWith(reply: Reply, one: Try, watch: TryWatch): FailedTry {
  return new FailedTry({
    verdict: watch.verdict,
    replica: one.lease.replica,
    error: null,
    pass: async () => passOn(reply, one, watch),
    drop: () => watch.drop(reply.body),
  });
}

function badCredential(status: number, { replica }: Lease): GatewayError {
  const what = status === 403 ? 'does not allow what was asked with' : 'does not accept';
  const message = `replica ${replica.fullName} ${what} the gateway's credential`;
  return new GatewayError('upstream_credential', message, { cause: new Error(`status ${status}`) });
}

/** Ends the lease, and tells of the try, with the last byte of the answer. */
class TryWatch implements BodyObserver {
  /** What the head of the answer says; holds if the body comes whole. */
  verdict: Verdict = abandoned;
  readonly sentAtMs: number;
  headAtMs = 0;
  readonly #try: Try;
  readonly #tried: Topic<TryFact>;
  #ifGivenUp: Verdict = abandoned;

  constructor(one: Try, tried: Topic<TryFact>, sentAtMs: number) {
    this.#try = one;
    this.#tried = tried;
    this.sentAtMs = sentAtMs;
  }

  firstByte(): void {
    // An error comes fast, and so does what is known of a model: they say nothing of how long an answer takes.
    if (this.verdict.evidence === 'success') this.#try.lease.firstByte();
  }

  ended(how: BodyEnd): void {
    if (how === 'broken') this.#try.lease.replica.state.noteFailure('it broke off in the middle of its answer');
    this.settle(how === 'complete' ? this.verdict : how === 'broken' ? brokenOff : this.#ifGivenUp);
  }

  /** Gives a body up whose head has said all there is to know. */
  drop(body: Body): void {
    this.#ifGivenUp = this.verdict;
    body.discard();
  }

  settle({ outcome, evidence }: Verdict): void {
    const { lease, kind } = this.#try;
    lease.release(outcome, evidence);
    this.#tried.publish({ backendName: lease.replica.backendName, outcome, kind });
  }
}
