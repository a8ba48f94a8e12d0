import type { Exchange } from '../pipeline/exchange.ts';

/** What the log says of one exchange, as the inside of a JSON object. Put together by hand: it is written with every request, and a general serialiser takes four times as long. */
export function exchangeLine({ id, head, journal, receivedAtMs }: Exchange): string {
  const { sentAtMs, headAtMs, endedAtMs, detail } = journal;
  const upstreamMs = headAtMs > 0 ? headAtMs - sentAtMs : 0;
  return (
    `"id":${quote(id)},"method":${quote(head.method)},"path":${quote(head.path)},"status":${journal.status},"code":"${journal.code}"` +
    `,"source":"${journal.source}","model":${quote(journal.model)},"route":${quote(journal.route)},"backend":${quote(journal.backend)}` +
    `,"replica":${quote(journal.replica)},"tries":${journal.tries},"durationMs":${tenths(endedAtMs - receivedAtMs)}` +
    `,"queueWaitMs":${tenths(journal.queueWaitMs)},"upstreamMs":${tenths(upstreamMs)},"bytesIn":${journal.bytesIn},"bytesOut":${journal.bytesOut}` +
    (detail === '' ? '' : `,"detail":${quote(detail)}`)
  );
}

const needsNoEscape = /^[ !#-[\]-~]*$/;

function quote(text: string): string {
  return needsNoEscape.test(text) ? `"${text}"` : JSON.stringify(text);
}

function tenths(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
