/** Whose fault a failure is. Only `upstream` ever counts against a replica. */
export type Blame = 'client' | 'gateway' | 'upstream';

/** When the same work may be tried again: `always` because nothing was sent, `if_idempotent` because something may have run. */
export type Retry = 'never' | 'if_idempotent' | 'always';

interface Row {
  readonly status: number;
  readonly blame: Blame;
  readonly retry: Retry;
}

/** The one table of everything that can go wrong with an exchange. A code is stable: metrics, logs and clients' scripts use it. */
export const errorTable = {
  invalid_request: { status: 400, blame: 'client', retry: 'never' },
  not_found: { status: 404, blame: 'client', retry: 'never' },
  model_not_found: { status: 404, blame: 'client', retry: 'never' },
  method_not_allowed: { status: 405, blame: 'client', retry: 'never' },
  body_too_large: { status: 413, blame: 'client', retry: 'never' },
  encoding_unsupported: { status: 415, blame: 'client', retry: 'never' },
  host_not_allowed: { status: 421, blame: 'client', retry: 'never' },
  client_left: { status: 499, blame: 'client', retry: 'never' },
  fell_behind: { status: 503, blame: 'client', retry: 'never' },
  internal: { status: 500, blame: 'gateway', retry: 'never' },
  upstream_unreachable: { status: 502, blame: 'upstream', retry: 'always' },
  upstream_broken: { status: 502, blame: 'upstream', retry: 'if_idempotent' },
  upload_broken: { status: 502, blame: 'upstream', retry: 'if_idempotent' },
  upstream_credential: { status: 502, blame: 'gateway', retry: 'if_idempotent' },
  buffers_full: { status: 503, blame: 'gateway', retry: 'never' },
  none_eligible: { status: 503, blame: 'gateway', retry: 'never' },
  queue_full: { status: 503, blame: 'gateway', retry: 'never' },
  queue_timeout: { status: 503, blame: 'gateway', retry: 'never' },
  superseded: { status: 500, blame: 'gateway', retry: 'never' },
  overtaken: { status: 500, blame: 'gateway', retry: 'never' },
  shutting_down: { status: 503, blame: 'gateway', retry: 'never' },
  deadline_exceeded: { status: 504, blame: 'gateway', retry: 'never' },
  upstream_timeout: { status: 504, blame: 'upstream', retry: 'if_idempotent' },
} as const satisfies Record<string, Row>;

/** What went wrong, in one stable word. */
export type ErrorCode = keyof typeof errorTable;

interface Details {
  readonly cause?: unknown;
  /** How long the client should wait; sent as `retry-after`, rounded up to seconds. */
  readonly retryAfterMs?: number;
  /** The request field at fault, for protocols whose error shape has a place for it. */
  readonly field?: string;
}

/** Every failure the gateway itself detects. Thrown at the cause, turned into HTTP once, at the edge. */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly retryAfterMs: number | null;
  readonly field: string | null;

  constructor(code: ErrorCode, message: string, details: Details = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'GatewayError';
    this.code = code;
    this.retryAfterMs = details.retryAfterMs ?? null;
    this.field = details.field ?? null;
  }

  get status(): number {
    return errorTable[this.code].status;
  }

  get blame(): Blame {
    return errorTable[this.code].blame;
  }

  get retry(): Retry {
    return errorTable[this.code].retry;
  }
}

/** Makes a `GatewayError` of whatever was thrown: itself where it is one, else `internal`, the cause kept for the log and withheld from the client. */
export function asGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  return new GatewayError('internal', 'the gateway failed to handle this request', { cause: thrown });
}
