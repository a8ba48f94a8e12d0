import { type HeaderList, headerInList } from '../pipeline/headers.ts';

/** Whether an answer is a stream of server-sent events (WHATWG HTML, section 9.2) that can be read as it is. */
export function isEventStream({ headers }: { readonly headers: HeaderList }): boolean {
  return (
    headerInList(headers, 'content-type')?.toLowerCase().startsWith('text/event-stream') === true &&
    headerInList(headers, 'content-encoding') === null
  );
}

/** One event that holds a value as JSON. */
export function eventOf(value: unknown): Uint8Array {
  return Buffer.from(`data: ${JSON.stringify(value)}\n\n`);
}

const errorEvent = /^(?:event: ?error\b|data: ?\{\s*"(?:error"\s*:(?!\s*null\b)|object"\s*:\s*"error"))/;

/** Whether a stream begins with an event that tells of an error, as servers send it that had answered 200 already. */
export function isErrorEvent(beginning: Buffer): boolean {
  return errorEvent.test(beginning.toString('latin1', 0, 100));
}
