import type { Stage } from '../pipeline/stage.ts';

/** Refuses at once what cannot be served in time, before anything is spent on it. Never waits: that is the dispatcher's part. */
export function admit(): Stage {
  return {
    name: 'admit',
    wrap: (next) => (exchange) => {
      exchange.cancellation.throwIfCancelled();
      const refusal = exchange.choice.backend.dispatcher.refusal();
      if (refusal !== null) throw refusal;
      return next(exchange);
    },
  };
}
