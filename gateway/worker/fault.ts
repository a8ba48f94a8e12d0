/** Why a request cannot be served, with the status the protocol wants for it. The message names the field, what was got and what was wanted. */
export class RequestFault extends Error {
  readonly status: 400 | 404 | 405 | 413 | 415 | 503;

  constructor(status: RequestFault['status'], message: string) {
    super(message);
    this.name = 'RequestFault';
    this.status = status;
  }
}

/** A fault in the form every field is told about in. */
export function wrongField(field: string, got: unknown, wanted: string): RequestFault {
  return new RequestFault(400, `${field}: got ${describe(got)}, wanted ${wanted}`);
}

const shownChars = 80;

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = sketch(value, shownChars + 1);
  return text.length <= shownChars ? text : `${text.slice(0, shownChars - 3)}...`;
}

/** Like JSON, but only as far as there is room: what clients send can be long, nested deeper than the stack, or hold a BigInt. */
function sketch(value: unknown, roomChars: number): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, Math.max(0, roomChars)));
  if (typeof value !== 'object' || value === null) return String(value);
  const isList = Array.isArray(value);
  const parts: [string, unknown][] = isList
    ? value.slice(0, Math.max(0, roomChars)).map((part) => ['', part])
    : Object.entries(value).map(([key, part]) => [`${JSON.stringify(key)}:`, part]);
  let text = isList ? '[' : '{';
  for (const [key, part] of parts) {
    if (text.length > roomChars) break;
    const start = text.length > 1 ? `,${key}` : key;
    text += start + sketch(part, roomChars - text.length - start.length);
  }
  return text + (isList ? ']' : '}');
}
