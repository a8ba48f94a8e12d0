import type { Seeds } from '../arrivals/seeds.ts';
import type { Payloads, Target } from '../scenario/scenario.ts';
import { chatsOf } from './chat.ts';
import { tensorsOf } from './tensor.ts';

/** What one request sends. */
export interface Payload {
  /** Follows the url of the target. */
  readonly path: string;
  /** Made anew whenever it is read, so that a plan of a million requests holds none: read it once, when it is sent. */
  readonly body: Buffer;
  readonly isStreaming: boolean;
  /** Those of the prompt, at four bytes each; 0 for tensors. */
  readonly inputTokens: number;
  /** The most that may be generated; 0 for tensors. */
  readonly outputTokens: number;
}

/** The payload of each request by its index, which alone decides it, so that one can be had without those before it. */
export function payloadsOf(payloads: Payloads, target: Target, seeds: Seeds): (index: number) => Payload {
  return target.protocol === 'openai' ? chatsOf(payloads, target, seeds) : tensorsOf(payloads, target, seeds);
}
