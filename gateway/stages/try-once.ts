import type { Lease } from '../balance/lease.ts';
import type { Outcome } from '../balance/signal.ts';
import type { Clock } from '../kernel/clock.ts';
import { asGatewayError, GatewayError } from '../kernel/errors.ts';
import type { Topic } from '../kernel/topic.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { BodyEnd, Reply } from '../pipeline/reply.ts';
import type { TryFact } from '../pipeline/try-fact.ts';
import { isOurCredentialBad, outcomeOfError, outcomeOfStatus } from '../upstream/classify.ts';
import { requestHeaders } from '../upstream/headers.ts';
import { parseLoadReport } from '../upstream/load-report.ts';
import { type BodyObserver, ObservedBody } from '../upstream/observe-body.ts';
import type { Transport, UpstreamReply } from '../upstream/transport.ts';

/** What tries need besides their exchange and their lease. */
export interface TryParts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly tried: Topic<TryFact>;
}

/** One send to one replica. The lease ends with the last byte of the answer, or here when there is none. */
export async function tryOnce(exchange: Exchange, lease: Lease, parts: TryParts): Promise<Reply> {
  const { upstreamModel } = exchange.choice;
  const watch = new TryWatch(exchange, lease, parts.tried);
  let reply: UpstreamReply;
  try {
    reply = await send(exchange, lease, parts);
  } catch (thrown) {
    const error = asGatewayError(thrown);
    watch.settle(outcomeOfError(error));
    throw error;
  }
  exchange.journal.headAtMs = parts.clock.nowMs();
  takeReport(reply, lease);
  watch.outcome = outcomeOfStatus(reply.status);
  const body = new ObservedBody(reply.body, watch);
  exchange.expire(parts.clock);
  const refusal =
    exchange.cancellation.reason ?? (isOurCredentialBad(reply.status) ? badCredential(reply.status, lease) : null);
  if (refusal !== null) {
    body.discard();
    throw refusal;
  }
  return exchange.protocol.translate({ ...reply, body }, exchange, upstreamModel);
}

function send(exchange: Exchange, lease: Lease, { transport, clock }: TryParts): Promise<UpstreamReply> {
  const { journal, deadlineMs, head } = exchange;
  const { backend, upstreamModel } = exchange.choice;
  journal.tries += 1;
  journal.replica = lease.replica.fullName;
  journal.upstreamModel = upstreamModel;
  journal.sentAtMs = clock.nowMs();
  const { mayBeEncoded, method, path, body } = exchange.protocol.write(exchange, upstreamModel);
  const headers = requestHeaders(head.headers, {
    requestId: exchange.id,
    remainingMs: deadlineMs === Number.POSITIVE_INFINITY ? null : deadlineMs - journal.sentAtMs,
    wantsReport: backend.wantsReports,
    mayBeEncoded,
    own: lease.replica.address.headers,
  });
  return transport.send(
    lease.replica,
    { method, path, body, headers, sentAtMs: journal.sentAtMs },
    backend.timeouts,
    exchange.cancellation,
  );
}

/** Ends the lease, and tells of the try, with the last byte of the answer. */
class TryWatch implements BodyObserver {
  /** What the head of the answer says; holds if the body comes whole. */
  outcome: Outcome = 'failed';
  readonly #lease: Lease;
  readonly #tried: Topic<TryFact>;
  readonly #backendName: string;
  readonly #kind: TryFact['kind'];

  constructor({ choice, journal }: Exchange, lease: Lease, tried: Topic<TryFact>) {
    this.#lease = lease;
    this.#tried = tried;
    this.#backendName = choice.backend.name;
    this.#kind = journal.tries === 0 ? 'first' : 'retry';
  }

  firstByte(): void {
    this.#lease.firstByte();
  }

  ended(how: BodyEnd): void {
    this.settle(how === 'complete' ? this.outcome : how === 'broken' ? 'failed' : 'abandoned');
  }

  settle(outcome: Outcome): void {
    this.#lease.release(outcome);
    this.#tried.publish({ backendName: this.#backendName, outcome, kind: this.#kind });
  }
}

function takeReport({ loadReport }: UpstreamReply, { replica }: Lease): void {
  if (loadReport === null) return;
  const report = parseLoadReport(loadReport);
  if (report !== null) replica.state.takeReport(report);
}

function badCredential(status: number, { replica }: Lease): GatewayError {
  const message = `replica ${replica.fullName} does not accept the gateway's credential`;
  return new GatewayError('upstream_credential', message, { cause: new Error(`status ${status}`) });
}
