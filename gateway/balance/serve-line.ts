import type { WaitingLine } from '../admission/waiting-line.ts';
import type { Dispatcher, Waiter, Wish } from './dispatcher.ts';

/**
 * What came of somebody in the line: it is served, or told no; it had better wait though something is free; what it may not have is not there,
 * which says nothing of those behind it; or there is nothing for anybody of its dispatcher.
 */
export type Turn =
  | { readonly kind: 'gone' | 'held' | 'none' }
  | { readonly kind: 'patient'; readonly mostAhead: number };

const nobodySpent: readonly Dispatcher[] = [];

/** Hands what has become free to those who wait, in order, each by the dispatcher it came to. */
export function serveLine(line: WaitingLine<Waiter>, nowMs: number): void {
  let spent = nobodySpent;
  let spentWaiting = 0;
  let ahead = 0;
  /** Of this dispatcher, those with no more ahead of them wait for better. */
  let patient: Dispatcher | null = null;
  let mostAhead = -1;
  for (const { item: waiter } of line) {
    const { dispatcher, wish } = waiter;
    // With its deadline behind it, its cancellation is about to fire: a replica would work for nobody.
    const isLikePatient = ahead <= mostAhead && dispatcher === patient && belongsNowhere(wish);
    const isPassedOver = wish.deadlineMs <= nowMs || isLikePatient || spent.includes(dispatcher);
    const turn = isPassedOver ? heldUp : dispatcher.serve(waiter, ahead);
    // One that is served changes prices, and for whom waiting is worth its while.
    if (turn.kind === 'gone') mostAhead = -1;
    else ahead += 1;
    if (turn.kind === 'patient') {
      ({ mostAhead } = turn);
      patient = dispatcher;
    }
    if (turn.kind !== 'none') continue;
    spentWaiting += dispatcher.waitingOfItsOwn;
    if (spentWaiting === line.length) return;
    spent = [...spent, dispatcher];
  }
}

/** What belongs to one replica may not have to wait for better. */
function belongsNowhere({ work }: Wish): boolean {
  return work.prefix === null && work.sessionKey === null;
}

const heldUp: Turn = { kind: 'held' };
