import type { Replica } from '../../gateway/balance/replica.ts';
import type { Cancellation } from '../../gateway/kernel/cancellation.ts';
import { GatewayError } from '../../gateway/kernel/errors.ts';
import type { Transport, UpstreamReply, WireRequest } from '../../gateway/upstream/transport.ts';
import { FedBody } from './bodies.ts';

type Answer = (replica: Replica, cancellation: Cancellation) => UpstreamReply | Promise<UpstreamReply>;

/** A transport whose answers are in the hands of a test. */
export class ScriptedTransport implements Transport {
  readonly sent: { readonly replica: Replica; readonly request: WireRequest }[] = [];
  readonly #answer: Answer;

  constructor(answer: Answer) {
    this.#answer = answer;
  }

  async send(
    replica: Replica,
    request: WireRequest,
    _timeouts: unknown,
    cancellation: Cancellation,
  ): Promise<UpstreamReply> {
    this.sent.push({ replica, request });
    return this.#answer(replica, cancellation);
  }

  hold(): void {}

  async forget(): Promise<void> {}

  async close(): Promise<void> {}
}

/** An answer with a body that the test feeds. */
export function upstreamReply(status = 200, loadReport: string | null = null): UpstreamReply & { body: FedBody } {
  return { status, headers: [], source: 'upstream', body: new FedBody(), loadReport };
}

/** What a transport says when nothing could be sent. */
export function unreachable(): GatewayError {
  return new GatewayError('upstream_unreachable', 'cannot be reached', { cause: new Error('connect ECONNREFUSED') });
}
