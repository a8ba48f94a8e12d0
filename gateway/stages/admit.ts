import type { Stage } from '../pipeline/stage.ts';
import { noteRefusal } from './note-refusal.ts';

/** Refuses at once what cannot be served in time, before anything is spent on it. Never waits: that is the dispatcher's part. */
export function admit(): Stage {
  return {
    name: 'admit',
    wrap: (next) => (exchange) => {
      exchange.cancellation.throwIfCancelled();
      const { backend, route } = exchange.choice;
      const refusal = backend.dispatcher.refusal();
      const mayFallBack = route.fallbacks.some(({ dispatcher }) => dispatcher.refusal() === null);
      if (refusal !== null && !mayFallBack) {
        noteRefusal(exchange);
        throw refusal;
      }
      return next(exchange);
    },
  };
}
