import type { Exchange } from '../pipeline/exchange.ts';

/** Notes why a request gets no replica of its backend, where its client asked. */
export function noteRefusal(exchange: Exchange): void {
  const { wantsExplanation, journal, choice } = exchange;
  if (wantsExplanation) journal.decision = choice.backend.dispatcher.explainRefusal(exchange, journal.queueWaitMs);
}
