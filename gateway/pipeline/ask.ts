import type { Work } from '../balance/work.ts';

/** The work of requests that compute next to nothing, such as reading a model's metadata. */
export const lightWork: Work = {
  rows: 1,
  inputTokens: null,
  outputTokensExpected: null,
  prefix: null,
  sessionKey: null,
};

/** What a client asks for, as far as the gateway needs to know: read once from the request by its protocol. */
export interface Ask {
  /** The model as the client named it. */
  readonly model: string;
  readonly isStreaming: boolean;
  readonly work: Work;
  /** The body as it came, still encoded if the client sent it so; empty where the operation has none, and from the head of the reply on. */
  payload: Uint8Array;
  /** The same without its content encoding. */
  content: Uint8Array;
}
