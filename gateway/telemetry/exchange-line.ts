import type { Exchange } from '../pipeline/exchange.ts';

/** What the log says of one exchange, as the inside of a JSON object. Put together by hand: it is written with every request, and a general serialiser takes four times as long. */
export function exchangeLine({ id, head, journal, receivedAtMs }: Exchange): string {
  const { sentAtMs, headAtMs, endedAtMs, model, route, backend, replica, inputTokens, outputTokens, detail } = journal;
  const upstreamMs = sentAtMs > 0 ? (headAtMs > 0 ? headAtMs : endedAtMs) - sentAtMs : 0;
  // One look at all texts together costs a fraction of one at each.
  const quote = needsNoEscape.test(id + head.method + head.path + model + route + backend + replica + detail)
    ? quotePlain
    : JSON.stringify;
  return (
    `"id":${quote(id)},"method":${quote(head.method)},"path":${quote(head.path)},"status":${journal.status},"code":"${journal.code}"` +
    `,"source":"${journal.source}","model":${quote(model)},"route":${quote(route)},"backend":${quote(backend)}` +
    `,"replica":${quote(replica)},"tries":${journal.tries},"durationMs":${tenths(endedAtMs - receivedAtMs)}` +
    `,"queueWaitMs":${tenths(journal.queueWaitMs)},"upstreamMs":${tenths(upstreamMs)},"bytesIn":${journal.bytesIn},"bytesOut":${journal.bytesOut}` +
    (journal.cache === null ? '' : `,"cache":"${journal.cache.kind === 'hit' ? 'hit' : journal.cache.why}"`) +
    (inputTokens === 0 && outputTokens === 0 ? '' : `,"inputTokens":${inputTokens},"outputTokens":${outputTokens}`) +
    (detail === '' ? '' : `,"detail":${quote(detail)}`)
  );
}

const needsNoEscape = /^[ !#-[\]-~]*$/;

function quotePlain(text: string): string {
  return `"${text}"`;
}

function tenths(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
