/** Where the value of a field lies in a body: from the first byte to behind the last. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const headEnd = Buffer.from('\r\n\r\n');

/** More parts than any form of a client has: each costs a look at its head. */
const mostParts = 1_000;

/** The boundary of a form (RFC 7578) from its content type, or null where the type is another. */
export function boundaryOf(contentType: string | null): string | null {
  if (contentType === null || !/^multipart\/form-data\s*;/i.test(contentType)) return null;
  const found = /;\s*boundary=(?:"([^"]+)"|([^\s;,"]+))/i.exec(contentType);
  return found?.[1] ?? found?.[2] ?? null;
}

/** Where the values of all fields of a name lie in a form; files are looked over, not into. */
export function findFields(form: Buffer, boundary: string, name: string): Span[] {
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  const found: Span[] = [];
  // The first delimiter has no line before it.
  let at = form.indexOf(delimiter.subarray(2));
  for (let parts = 0; at >= 0 && parts < mostParts; parts++) {
    const start = form.indexOf(headEnd, at);
    const end = start < 0 ? -1 : form.indexOf(delimiter, start + 2);
    if (end < 0) break;
    if (fieldName(form.toString('latin1', at, start)) === name) found.push({ start: start + headEnd.length, end });
    at = end + 2;
  }
  return found;
}

/** The name in the head of a part. */
function fieldName(head: string): string | null {
  const found = /^content-disposition:[^\r\n]*;\s*name=(?:"([^"]*)"|([^\s;"]+))/im.exec(head);
  return found?.[1] ?? found?.[2] ?? null;
}
