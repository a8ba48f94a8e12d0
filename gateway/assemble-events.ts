import type { Decision, DecisionWatch } from './balance/decision.ts';
import type { ReplicaState } from './balance/replica-state.ts';
import type { EventLog } from './telemetry/event-log.ts';

/** As many decisions a second as people, and a page that shows them, can follow. */
const decisionsPerSecond = 20;

/** Of a large backend the cheapest replicas tell enough. */
const mostCandidates = 64;

/** Tells operators of some of the decisions while they listen. */
export function watchDecisions(events: EventLog): DecisionWatch {
  let nextAtMs = 0;
  return {
    wants: (nowMs) => nowMs >= nextAtMs && events.isHeard(nowMs),
    take(decision) {
      nextAtMs = decision.atMs + 1000 / decisionsPerSecond;
      events.tell('decision', showDecision(decision));
    },
  };
}

function showDecision({ candidates, atMs: _, ...decision }: Decision): object {
  const shown = candidates.slice(0, mostCandidates);
  return { ...decision, candidates: shown, more: candidates.length - shown.length };
}

interface Named {
  readonly backendName: string;
  readonly id: string;
  readonly state: ReplicaState;
}

/** Tells operators whenever a replica stands otherwise, or its gate does. Gives what ends it. */
export function tellOfReplica(replica: Named, events: EventLog): () => void {
  let last = { standing: replica.state.standing, gate: replica.state.gate.state };
  return replica.state.changed.subscribe(({ standing, reason, gate }) => {
    // Asked with every request that ends.
    if (standing === last.standing && gate.state === last.gate) return;
    last = { standing, gate: gate.state };
    const { backendName: backend, id } = replica;
    const { cause: gateCause, story } = gate;
    events.tell('replica', {
      backend,
      replica: id,
      standing,
      reason,
      gate: gate.state,
      gateCause,
      gateReason: story.reason,
    });
  });
}
