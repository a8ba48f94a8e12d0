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
  if (another !== undefined || (only && !boundaryForm.test(only))) throw malformed();
  return only || null;
}

/** RFC 2046 section 5.1.1. A longer one could be searched for only slowly. */
const boundaryForm = /^[\w'()+,./:=? -]{1,70}$/;

/**
 * Where the values of all fields of a name lie in a form; files are looked over, not into. A form whose parts servers could tell apart in
 * different ways is refused: they must find the same fields.
 */
export function findFields(form: Buffer, boundary: string, name: string): Span[] {
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  const found: Span[] = [];
  // In front of the first delimiter, which then has no line end, nothing may stand: a server that cares for no type could read it.
  if (!isAt(form, 0, delimiter.subarray(2))) throw malformed();
  let at = -2;
  for (let parts = 0; ; parts++) {
    const from = at + delimiter.length;
    if (isLast(form, from)) break;
    const end = form.indexOf(delimiter, from);
    const start = form.indexOf(headEnd, from) + headEnd.length;
    const headBytes = start - from;
    const isWhole = headBytes >= headEnd.length && start <= end && isAt(form, from, '\r\n');
    if (!isWhole || headBytes > longestHeadBytes || parts === mostParts) throw malformed();
    const claimed = fieldName(form.toString('latin1', from, start));
    if (claimed === name) found.push({ start, end });
    // By some parsers a backslash in front of a letter is left out.
    else if (claimed?.replaceAll('\\', '') === name) throw malformed();
    at = end;
  }
  return found;
}

function isLast(form: Buffer, from: number): boolean {
  return isAt(form, from, '--\r\n') || (from + 2 === form.length && isAt(form, from, '--'));
}

function isAt(form: Buffer, at: number, what: string | Uint8Array): boolean {
  return form.subarray(at, at + what.length).equals(Buffer.from(what));
}

/** The name that the head of a part claims, or null. Several are refused: servers differ in which they believe. */
function fieldName(head: string): string | null {
  const lines = [...head.matchAll(/^content-disposition:(.*(?:\r\n[ \t].*)*)/gim)];
  const [only = null, another] = lines.flatMap(([, line = '']) => parametersOf(line, 'name'));
  if (another !== undefined) throw malformed();
  return only;
}

/**
 * The values of a parameter in a header. Backslashes are taken as they stand: clients write file names so (WHATWG HTML, section 4.10.22.8).
 * The parameter in a form of RFC 2231 (`name*`, `name*0`) is refused: some parsers know it, RFC 7578 forbids it.
 */
function parametersOf(header: string, name: string): string[] {
  const values: string[] = [];
  for (const [, key = '', quoted, plain = ''] of header.matchAll(/;\s*([^\s=;"]+)\s*=\s*(?:"([^"]*)"|([^\s;"]*))/g)) {
    const [base, ...extended] = key.toLowerCase().split('*');
    if (base !== name) continue;
    if (extended.length > 0) throw malformed();
    values.push(quoted ?? plain);
  }
  return values;
}

function malformed(): GatewayError {
  const message = `body: got a malformed form, wanted RFC 7578 with at most ${mostParts} parts and heads up to ${longestHeadBytes} bytes`;
  return new GatewayError('invalid_request', message, { field: 'body' });
}
