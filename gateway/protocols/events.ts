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

/** Byte order mark, empty lines and comments: what may stand in front of an event and is none. */
const nothingYet = /^\uFEFF?(?:(?::[^\r\n]*)?(?:\r\n|\r|\n))*/;
const endOfEvent = /\r\n\r\n|\n\n|\r\r/;

/** The first event of a stream that begins so, without what stands in front of it; null where it has not come whole. */
export function firstEventOf(beginning: string): string | null {
  const from = nothingYet.exec(beginning)?.[0].length ?? 0;
  const end = endOfEvent.exec(beginning.slice(from));
  return end === null ? null : beginning.slice(from, from + end.index);
}

/** Whether an event tells of an error, as servers send it that had answered 200 already: by its name, or by an `error` in its data. */
export function isErrorEvent(event: string): boolean {
  const lines = linesOf(event);
  if (lines.some((line) => /^event: ?error$/.test(line))) return true;
  try {
    const value: unknown = JSON.parse(dataOf(lines));
    if (typeof value !== 'object' || value === null) return false;
    return ('error' in value && value.error !== null) || ('object' in value && value.object === 'error');
  } catch {
    return false;
  }
}

/** The lines of an event, whatever ends them. */
export function linesOf(event: string): string[] {
  return event.split(/\r\n|\r|\n/);
}

/** The data of an event, the space in front of it left. */
export function dataOf(lines: readonly string[]): string {
  return lines.flatMap((line) => (line.startsWith('data:') ? [line.slice(5)] : [])).join('\n');
}

/** Bytes as text in which what is ASCII can be found. */
export function latin1({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString('latin1');
}

/** Whether any event of a whole stream tells of an error. */
export function hasErrorEvent(events: string): boolean {
  return events.split(endOfEvent).some((event) => event.includes('error') && isErrorEvent(event));
}
