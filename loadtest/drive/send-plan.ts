import type { Clock } from '../../gateway/kernel/clock.ts';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { type Payload, type PlannedRequest, planOf } from '../arrivals/plan.ts';
import type { OwnLimit } from '../report/own-limit.ts';
import { Tally } from '../report/tally.ts';
import type { Scenario, Target } from '../scenario/scenario.ts';
import { Connections } from './connections.ts';
import { Drive } from './drive.ts';
import { type Glance, Glances } from './glance.ts';
import type { Carrier, CarrierEvents } from './sender.ts';
import type { WakeAt } from './wake.ts';

/** What one process sends: every `of`-th request, from the `index`-th on. */
export interface Part {
  readonly index: number;
  readonly of: number;
}

interface Missed {
  /** Planned after the warm-up, and not sent. */
  unsent: number;
  /** What kept this machine from sending the first of them. */
  ownLimit: OwnLimit | null;
}

/** What a generator knows of itself when it has ended. */
export interface Generated extends Readonly<Missed> {
  /** Null where nobody watched, or where time is virtual. */
  readonly eventLoopDelayP99Ms: number | null;
  readonly sent: number;
  readonly tally: Tally;
}

/** A generator at work. */
export interface Generating {
  /** How it gets on, since the last look. */
  look(): Glance;
  /** Sends no more, and waits for what is under way. */
  stop(): void;
  /** Waits no longer: what is under way is unfinished. */
  breakOff(): void;
  readonly finished: Promise<Generated>;
}

/** About 10 MB of them as lines of JSON. */
const sampleSize = 20_000;

/** An empty tally for one part of a run. Which records are kept is drawn by each part for itself. */
export function newTally({ slos, warmUpMs, seed }: Scenario, { index }: Part): Tally {
  return new Tally({ slos, warmUpMs, sampleSize, rng: seededRng(seed + index) });
}

/** Answers are waited for so long after the last request; those that take longer are unfinished. */
const graceMs = 30_000;

/** Which requests go where, and by what. */
export interface Errand<Request> {
  readonly scenario: Scenario;
  readonly target: Target;
  readonly part: Part;
  readonly clock: Clock;
  readonly wakeAt: WakeAt;
  /** When the plan begins, by the clock. */
  readonly startAtMs: number;
  readonly requestOf: (payload: Payload) => Request;
  readonly open: (owner: CarrierEvents<Request>) => Carrier<Request>;
}

/** Sends a part of a plan, and tallies what comes of it. */
export function sendPlan<Request>(errand: Errand<Request>): Generating {
  const { scenario, target, part, clock, open } = errand;
  const { clients, warmUpMs } = scenario;
  const most = clients.connections === null ? null : shareOf(clients.connections, part);
  const sender = new Connections({ open, clock, most });
  const tally = newTally(scenario, part);
  const glances = new Glances();
  const missed: Missed = { unsent: 0, ownLimit: null };
  const drive = new Drive({
    ...errand,
    plan: partOf(planOf(scenario, target), part),
    target: target.name,
    sender,
    timeoutMs: clients.timeoutMs,
    graceMs,
    closed: closedLoopOf(scenario, part),
    onRecord(record) {
      tally.add(record);
      glances.add(record);
    },
    onUnsent({ plannedAtMs }, limit) {
      if (plannedAtMs < warmUpMs) return;
      missed.unsent += 1;
      missed.ownLimit ??= limit;
    },
  });
  const finish = (): Generated => {
    sender.close();
    return { ...missed, sent: drive.state.sent, eventLoopDelayP99Ms: null, tally };
  };
  return {
    look: () => glances.take(drive.state),
    stop: () => drive.stop(),
    breakOff: () => drive.breakOff(),
    finished: drive.run().then(finish),
  };
}

function closedLoopOf(
  { arrivals, forMs }: Scenario,
  part: Part,
): { concurrency: number; untilMs: number | null } | null {
  return arrivals.kind === 'closed' ? { concurrency: shareOf(arrivals.concurrency, part), untilMs: forMs } : null;
}

/** Every `of`-th of a plan. */
export function* partOf(plan: Iterable<PlannedRequest>, { index, of }: Part): Iterable<PlannedRequest> {
  for (const planned of plan) if (planned.index % of === index) yield planned;
}

/** How much of a number falls to one process; the first take what does not divide. At least 1, or it could do nothing. */
function shareOf(count: number, { index, of }: Part): number {
  return Math.max(1, Math.floor(count / of) + (index < count % of ? 1 : 0));
}
