import type { Gate } from '../guard/gate.ts';
import { Rest } from '../guard/rest.ts';
import { SlowStart } from '../guard/slow-start.ts';
import type { Clock } from '../kernel/clock.ts';
import type { BoardSlot } from '../kernel/load-board.ts';
import type { Rng } from '../kernel/rng.ts';
import type { TimerWheel } from '../kernel/timer-wheel.ts';
import { Topic } from '../kernel/topic.ts';
import type { LoadReport, ReportSource } from './load-report.ts';
import { ModelRevisions } from './model-revisions.ts';
import { ReportFaults } from './report-faults.ts';
import type { LoadMeter, LoadSignal, MeterPlace } from './signal.ts';
import { SlotEstimate } from './slot-estimate.ts';

/** What a replica says of itself. Only `ready` ones get requests; while one is `starting`, requests may wait for it. */
export type Standing = 'starting' | 'ready' | 'unready' | 'draining';

/** How far beyond a replica's slots requests are sent to it: enough that a slot never idles while the next request travels. */
const creditsPerSlot = 1.25;

/** More than any replica ever has, where slots are unknown. A small whole number, as all credits are: they are compared for each replica with each request. */
export const boundless = 2 ** 30 - 1;

/** How many requests a replica of so many slots may be handed at once. */
export function creditsOf(slots: number | null): number {
  return slots === null ? boundless : Math.ceil(creditsPerSlot * slots);
}

/** How long a report counts: somewhat longer than it is from one to the next where they are fetched once a second. */
const freshMs = 2_500;

interface Options {
  readonly slot: BoardSlot;
  readonly gate: Gate;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly rng: Rng;
}

/** What the gateway has learned of one replica. It outlives a reload: the replicas of successive generations that stand for the same process share it. */
export class ReplicaState implements MeterPlace {
  readonly slot: BoardSlot;
  readonly gate: Gate;
  /** The time it has asked for by declining requests. */
  readonly rest: Rest;
  /** How much of its weight it carries. */
  readonly slowStart: SlowStart;
  /** How long it takes to carry all of it after it has joined or recovered. */
  slowStartMs = 0;
  /** Tells that the replica may now be able to take a request it could not take before, or the reverse: its standing, its gate, its slots or its load is another. */
  readonly changed = new Topic<ReplicaState>();
  /** How a request last failed there, for people; null where none has. */
  lastFailure: { readonly what: string; readonly atMs: number } | null = null;
  /** How many requests it seems to work on at once, learned while nobody says. */
  readonly slotEstimate = new SlotEstimate();
  /** In the pick under way it is compared with others whose slots are known. */
  isBesideKnown = false;
  /** What was wrong with what it said of its load. */
  readonly reportFaults = new ReportFaults();
  readonly revisions = new ModelRevisions();
  /** Whether it takes requests, as far as its health and its traffic tell. Kept, and not made anew: it is asked for each replica with each request. */
  isAvailable = false;
  /** Whether it carries all of its weight. Kept likewise. */
  isWarm = true;
  /** Requests it may be handed at once, as it tells of its slots. Kept likewise. */
  reportedCredits = boundless;
  readonly #meters = new Map<string, LoadMeter>();
  /** As the newest configuration says; null where it is left to the replica to report. */
  configuredSlots: number | null = null;
  #report: LoadReport | null = null;
  #reportedAtMs: number | null = null;
  #reportSource: ReportSource | null = null;
  #slots: number | null = null;
  #slotsSource: ReportSource | null = null;
  /** Requests in it that are not ours, as it last told, and when that was. */
  #others = 0;
  #othersToldAtMs = Number.NEGATIVE_INFINITY;
  #standing: Standing = 'starting';
  #reason = 'not yet checked';
  #isDrained = false;
  /** Since when it stands as it does, of the clock's `nowMs`. */
  standingSinceMs: number;
  readonly clock: Clock;

  constructor({ slot, gate, clock, wheel, rng }: Options) {
    this.slot = slot;
    this.gate = gate;
    this.clock = clock;
    this.standingSinceMs = clock.nowMs();
    this.rest = new Rest({
      clock,
      wheel,
      rng,
      onBegun: () => this.#judge(),
      onOver: () => this.#tell(),
    });
    this.slowStart = new SlowStart(clock);
    let was = gate.state;
    gate.changed.subscribe(({ state }) => {
      if (state === 'passing' && was !== 'passing') this.#beginSlowStart();
      was = state;
      this.#tell();
    });
  }

  /** The meter of a signal: the same as long as the process is known, whatever other signals it is priced by in between. */
  meterOf(signal: LoadSignal): LoadMeter {
    const known = this.#meters.get(signal.name);
    if (known !== undefined) return known;
    const meter = signal.newMeter(this);
    this.#meters.set(signal.name, meter);
    return meter;
  }

  /** How much of its weight it carries, from 0.1 to 1. */
  get warmShare(): number {
    const { share } = this.slowStart;
    this.isWarm = share === 1;
    return share;
  }

  get standing(): Standing {
    return this.#isDrained ? 'draining' : this.#standing;
  }

  /** Why it stands so, for people. */
  get reason(): string {
    return this.#isDrained ? 'drained by an operator' : this.#reason;
  }

  /** Says how it stands; of a drained one this shows only when it is no longer drained. */
  setStanding(standing: Standing, reason: string): void {
    const before = this.standing;
    if (standing === 'ready' && this.#standing !== 'ready') this.#beginSlowStart();
    this.#standing = standing;
    this.#reason = reason;
    this.#tellIfOther(before);
  }

  #beginSlowStart(): void {
    this.slowStart.begin(this.slowStartMs);
    this.isWarm = false;
  }

  /** A request has failed there. */
  noteFailure(what: string): void {
    this.lastFailure = { what, atMs: this.clock.nowMs() };
  }

  /** An operator takes it out: it gets no more requests, whatever its health, until it is put back. What runs on it goes on. */
  drain(): void {
    this.#setDrained(true);
  }

  /** An operator puts it back: it stands again as its health says. */
  undrain(): void {
    this.#setDrained(false);
  }

  /** The last it said of its load, null before it has said anything. */
  get report(): LoadReport | null {
    return this.#report;
  }

  /** When it came, of the clock's `nowMs`. */
  get reportedAtMs(): number | null {
    return this.#reportedAtMs;
  }

  /** How it came. */
  get reportSource(): ReportSource | null {
    return this.#reportSource;
  }

  /** The requests it works on at once, as it last said; unknown (null) before, and when whatever said so no longer does. */
  get reportedSlots(): number | null {
    return this.#slots;
  }

  /** Requests it works on at once, null where nobody says. */
  get slots(): number | null {
    return this.configuredSlots ?? this.#slots;
  }

  /** The same where nobody says, as it seems: at least 1. */
  get slotsEstimated(): number {
    return this.slotEstimate.slots;
  }

  /** Requests in it that are not ours. What it has told a while ago says nothing: then there are none, as far as we know. */
  othersInFlight(nowMs: number): number {
    return nowMs - this.#othersToldAtMs <= freshMs ? this.#others : 0;
  }

  doubtServiceTime(toldMs: number, measuredMs: number): void {
    const what = `service_seconds: says ${Math.round(toldMs)} ms on average, where answers take ${Math.round(measuredMs)} ms`;
    this.reportFaults.note('bad_value', what);
  }

  /** Takes a load report in, in the place of the last one. */
  takeReport(report: LoadReport, source: ReportSource): void {
    this.#report = report;
    this.#reportedAtMs = this.clock.nowMs();
    this.#reportSource = source;
    if (report.inFlight !== null) this.#countOthers(report.inFlight, source);
    const { slots } = report;
    // A metrics page that does not speak of slots says nothing against what the replies say.
    if (slots === null && source !== this.#slotsSource) return;
    this.#slotsSource = source;
    if (slots === this.#slots) return;
    this.#slots = slots;
    this.reportedCredits = creditsOf(slots);
    this.changed.publish(this);
  }

  #countOthers(inFlight: number, source: ReportSource): void {
    // A request that is being answered is still held here, and no longer there.
    const own = source === 'reply' ? this.slot.inFlight - 1 : this.slot.inFlight;
    this.#others = Math.max(0, inFlight - Math.max(0, own));
    this.#othersToldAtMs = this.clock.nowMs();
  }

  #setDrained(isDrained: boolean): void {
    const before = this.standing;
    this.#isDrained = isDrained;
    this.#tellIfOther(before);
  }

  #tellIfOther(before: Standing): void {
    if (this.standing === before) return;
    this.standingSinceMs = this.clock.nowMs();
    this.#tell();
  }

  #tell(): void {
    this.#judge();
    this.changed.publish(this);
  }

  #judge(): void {
    this.isAvailable = this.standing === 'ready' && this.gate.state === 'passing' && this.rest.isOver;
  }
}
