import { GatewayError } from '../kernel/errors.ts';

/** Where the value of a field lies in a body: from the first byte to behind the last. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const headEnd = '\r\n\r\n';

/** More parts than any form of a client has: each costs a look at its head. */
const mostParts = 1_000;

/** More than a name, a file name and a type take; together with the number of parts it bounds what a form costs to read. */
const longestHeadBytes = 2_048;

/** The boundary of a form (RFC 7578) from its content type, or null where the type is another. */
export function boundaryOf(contentType: string | null): string | null {
  if (contentType === null || !/^multipart\/form-data\s*;/i.test(contentType)) return null;
  const [only, another] = parametersOf(contentType, 'boundary');
  if (another !== undefined) throw malformed();
  return only || null;
}

/**
 * Where the values of all fields of a name lie in a form; files are looked over, not into. A form whose parts servers could tell apart in
 * different ways is refused: they must find the same fields.
 */
export function findFields(form: Buffer, boundary: string, name: string): Span[] {
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  const found: Span[] = [];
  let at = firstDelimiter(form, delimiter);
  for (let parts = 0; at !== null; parts++) {
    const from = at + delimiter.length;
    if (isLast(form, from)) break;
    const end = form.indexOf(delimiter, from);
    const start = form.indexOf(headEnd, from) + headEnd.length;
    const headBytes = start - from;
    const isWhole = headBytes >= headEnd.length && start <= end && isAt(form, from, '\r\n');
    if (!isWhole || headBytes > longestHeadBytes || parts === mostParts) throw malformed();
    if (fieldNames(form.toString('latin1', from, start)).includes(name)) found.push({ start, end });
    at = end;
  }
  return found;
}

/** The line end of the first delimiter need not be there. */
function firstDelimiter(form: Buffer, delimiter: Buffer): number | null {
  if (isAt(form, 0, delimiter.subarray(2))) return -2;
  const at = form.indexOf(delimiter);
  return at < 0 ? null : at;
}

function isLast(form: Buffer, from: number): boolean {
  return isAt(form, from, '--\r\n') || (from + 2 === form.length && isAt(form, from, '--'));
}

function isAt(form: Buffer, at: number, what: string | Uint8Array): boolean {
  return form.subarray(at, at + what.length).equals(Buffer.from(what));
}

/** Every name that the head of a part claims. */
function fieldNames(head: string): string[] {
  const lines = [...head.matchAll(/^content-disposition:(.*(?:\r\n[ \t].*)*)/gim)];
  return lines.flatMap(([, line = '']) => parametersOf(line, 'name'));
}

/** The values of a parameter in a header. Backslashes are taken as they stand: clients write file names so (WHATWG HTML, section 4.10.22.8). */
function parametersOf(header: string, name: string): string[] {
  const all = header.matchAll(/;\s*([^\s=;"]+)\s*=\s*(?:"([^"]*)"|([^\s;"]*))/g);
  return [...all].flatMap(([, key, quoted, plain = '']) => (key?.toLowerCase() === name ? [quoted ?? plain] : []));
}

function malformed(): GatewayError {
  const message = `body: got a malformed form, wanted RFC 7578 with at most ${mostParts} parts and heads up to ${longestHeadBytes} bytes`;
  return new GatewayError('invalid_request', message, { field: 'body' });
}
