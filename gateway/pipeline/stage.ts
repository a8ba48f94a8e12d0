import type { Exchange } from './exchange.ts';
import type { Reply } from './reply.ts';

/** Answers an exchange: resolves at the head of the reply, rejects with a `GatewayError`. */
export type Serve = (exchange: Exchange) => Promise<Reply>;

/** One step on a request's way: it may refuse, answer by itself, or pass on and see the reply come back. */
export interface Stage {
  readonly name: string;
  wrap(next: Serve): Serve;
}

/** Puts stages around `innermost`; the first in the list is the outermost, so that the list reads in the order a request meets them. */
export function compose(stages: readonly Stage[], innermost: Serve): Serve {
  return stages.reduceRight((next, stage) => stage.wrap(next), innermost);
}
