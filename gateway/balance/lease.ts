import type { Evidence, Permit } from '../guard/gate.ts';
import type { Decision } from './decision.ts';
import type { LoadReport } from './load-report.ts';
import type { Replica } from './replica.ts';
import type { Outcome, Ticket } from './signal.ts';

/** Told when a lease ends, and when somebody ends one twice: a fault in our own code that must not corrupt the counts. */
export interface LeaseWatcher {
  released(lease: Lease, as: Outcome): void;
  releasedTwice(lease: Lease): void;
}

const evidenceOf = { succeeded: 'success', failed: 'failure', refused: 'none', abandoned: 'none' } as const;

/** The only way to use a replica: held from the choice until the last byte, it is the one place where load, gate and outcome are told. */
export class Lease {
  readonly replica: Replica;
  /** Why it is on this replica, where somebody asked. */
  decision: Decision | null = null;
  readonly #ticket: Ticket;
  readonly #permit: Permit;
  readonly #watcher: LeaseWatcher;
  /** When it began, where nobody says how many slots the replica has: they are then learned from it. */
  readonly #sinceMs: number | null;
  #isHeld = true;

  constructor(replica: Replica, ticket: Ticket, permit: Permit, watcher: LeaseWatcher) {
    this.replica = replica;
    this.#ticket = ticket;
    this.#permit = permit;
    this.#watcher = watcher;
    replica.slot.addInFlight(1);
    const { slots, clock } = replica.state;
    this.#sinceMs = slots === null ? clock.nowMs() : null;
  }

  /** What the replica has said of its load with its answer. */
  report(report: LoadReport): void {
    this.#ticket.report(report);
  }

  /** The first byte of a good answer has come: what latency signals measure to. */
  firstByte(): void {
    this.#ticket.firstByte();
  }

  /** Ends it, once: a second release changes nothing but is reported. `evidence` is what it says of the replica, where the outcome does not say all. */
  release(as: Outcome, evidence: Evidence = evidenceOf[as]): void {
    if (!this.#isHeld) {
      this.#watcher.releasedTwice(this);
      return;
    }
    this.#isHeld = false;
    if (as === 'succeeded') this.#succeeded();
    this.replica.slot.addInFlight(-1);
    // What says nothing of the replica is to its meter as if it had not been waited for.
    this.#ticket.settle(as === 'succeeded' && evidence === 'none' ? 'abandoned' : as);
    this.#permit.settle(evidence);
    this.#watcher.released(this, as);
  }

  #succeeded(): void {
    const { state } = this.replica;
    state.rest.served();
    if (this.#sinceMs === null) return;
    const nowMs = state.clock.nowMs();
    const own = state.slot.inFlight;
    state.slotEstimate.learn(nowMs - this.#sinceMs, own / (own + state.othersInFlight(nowMs)), nowMs);
  }
}
