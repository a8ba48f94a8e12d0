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

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'bigint') return String(value);
  const text = JSON.stringify(value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}
