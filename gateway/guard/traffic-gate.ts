import type { Clock } from '../kernel/clock.ts';
import type { Rng } from '../kernel/rng.ts';
import type { Alarm, TimerWheel } from '../kernel/timer-wheel.ts';
import { Topic } from '../kernel/topic.ts';
import { Breaker, type Counts } from './breaker.ts';
import { Fleet, type Sibling } from './fleet.ts';
import type { EjectionCause, Evidence, Gate, GateState, GateStory, Permit } from './gate.ts';
import {
  type FailureRun,
  type GateRules,
  isSuspect,
  longer,
  noFailures,
  type Trip,
  tripByClientErrors,
  tripByFailures,
} from './trip-rules.ts';

interface Options {
  readonly rules: GateRules;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly rng: Rng;
}

/**
 * The gate of one replica. Passing, it counts; what speaks against the replica ejects it, for a time that doubles from one ejection to the
 * next; then it lets one request through, the probe, and only what comes of that decides. Every other state begins a new epoch: what was
 * sent before it changes nothing.
 */
export class TrafficGate implements Gate, Sibling {
  readonly changed = new Topic<Gate>();
  readonly #clock: Clock;
  readonly #wheel: TimerWheel;
  readonly #rng: Rng;
  #rules: GateRules;
  #breaker: Breaker;
  #fleet = new Fleet();
  #state: GateState = 'passing';
  #cause: EjectionCause | null = null;
  #story: GateStory;
  /** What the last ejection was for that did not follow from a probe. */
  #tripReason = '';
  #permit: Permit;
  /** The permit of a probing gate is with a request. */
  #isProbed = false;
  #run: FailureRun = noFailures;
  /** Ejections with little time between them; the last lasted so long. */
  #ejectionsInARow = 0;
  #lastEjectionMs = 0;
  #alarm: Alarm | null = null;

  constructor({ rules, clock, wheel, rng }: Options) {
    this.#rules = rules;
    this.#clock = clock;
    this.#wheel = wheel;
    this.#rng = rng;
    this.#breaker = new Breaker({ windowMs: rules.windowMs, clock });
    this.#story = { reason: 'it was never ejected', sinceMs: clock.nowMs(), untilMs: null };
    this.#permit = this.#passingPermit();
    this.#fleet.join(this);
  }

  get state(): GateState {
    return this.#state;
  }

  get cause(): EjectionCause | null {
    return this.#cause;
  }

  get story(): GateStory {
    return this.#story;
  }

  get admits(): boolean {
    return this.#state === 'passing' || (this.#state === 'probing' && !this.#isProbed);
  }

  /** Whether it keeps traffic out, as its siblings see it. */
  get isOut(): boolean {
    return this.#breaker.isOpen;
  }

  counts(): Counts {
    return this.#breaker.counts();
  }

  enter(): Permit | null {
    if (!this.admits) return null;
    this.#isProbed = this.#state === 'probing';
    return this.#permit;
  }

  /** Goes by other rules, among other siblings, from now on. Where it stands, it stays. */
  obey(rules: GateRules, fleet: Fleet): void {
    this.#fleet.leave(this);
    this.#fleet = fleet;
    fleet.join(this);
    if (rules.windowMs !== this.#rules.windowMs) this.#renewBreaker(rules.windowMs);
    this.#rules = rules;
  }

  /** An operator takes it out until it is readmitted. */
  eject(): void {
    this.#disarm();
    this.#breaker.open();
    this.#cause = 'operator';
    this.#turn('ejected', 'ejected by an operator', null);
  }

  /** It starts anew, with nothing against it. */
  readmit(reason: string): void {
    this.#ejectionsInARow = 0;
    this.#pass(reason);
  }

  /** Ends it: an ejection does not end by itself any more. */
  close(): void {
    this.#disarm();
    this.#fleet.leave(this);
    this.#breaker.shutdown();
  }

  #passingPermit(): Permit {
    const permit: Permit = {
      settle: (evidence) => {
        if (this.#permit === permit) this.#judge(evidence);
      },
    };
    return permit;
  }

  #probePermit(): Permit {
    const permit: Permit = {
      settle: (evidence) => {
        if (this.#permit === permit) this.#judgeProbe(evidence);
      },
    };
    return permit;
  }

  #judge(evidence: Evidence): void {
    switch (evidence) {
      case 'none':
      case 'overtaken':
        return;
      case 'success':
      case 'client_error':
        this.#run = noFailures;
        this.#breaker.count(evidence === 'success' ? 'succeeded' : 'clientErrors');
        if (evidence === 'client_error') this.#eject(this.#tripByClientErrors());
        return;
      case 'unanswered':
        this.#breaker.count('clientErrors');
        this.#eject(this.#tripByClientErrors());
        return;
      case 'credential':
        this.#eject({ cause: 'credential', reason: 'it does not accept the gateway’s credential' });
        return;
      default:
        this.#run = longer(this.#run, evidence);
        this.#breaker.count('failed');
        this.#eject(tripByFailures(this.#run, this.counts(), this.#rules));
    }
  }

  #tripByClientErrors(): Trip | null {
    const own = this.counts();
    return isSuspect(own) ? tripByClientErrors(own, this.#fleet.countsOfOthers(this)) : null;
  }

  #judgeProbe(evidence: Evidence): void {
    if (evidence === 'none') {
      this.#isProbed = false;
      this.changed.publish(this);
      return;
    }
    const cause = this.#causeByProbe(evidence);
    if (cause === null || !this.#fleet.mayKeepOut(cause)) this.#pass('its probe was answered');
    else {
      this.#cause = cause;
      this.#ejectFor(`its probe failed; before, ${this.#tripReason}`);
    }
  }

  /** What a probe holds against its replica; null where nothing. */
  #causeByProbe(evidence: Exclude<Evidence, 'none'>): EjectionCause | null {
    if (evidence === 'success') return null;
    if (evidence === 'client_error') return this.#cause === 'client_errors' ? 'client_errors' : null;
    if (evidence === 'unanswered') return 'client_errors';
    return evidence === 'unreachable' || evidence === 'credential' ? evidence : 'outlier';
  }

  #eject(trip: Trip | null): void {
    if (trip === null || !this.#fleet.mayEject(trip.cause)) return;
    const passedMs = this.#clock.nowMs() - this.#story.sinceMs;
    if (passedMs > this.#lastEjectionMs + this.#rules.windowMs) this.#ejectionsInARow = 0;
    this.#cause = trip.cause;
    this.#tripReason = trip.reason;
    this.#ejectFor(trip.reason);
  }

  /** Between half and the whole of its time, so that several gateways do not come back together. */
  #ejectFor(reason: string): void {
    const { ejectMs, ejectMaxMs } = this.#rules;
    const wholeMs = Math.min(ejectMaxMs, ejectMs * 2 ** this.#ejectionsInARow);
    this.#ejectionsInARow += 1;
    this.#lastEjectionMs = wholeMs * (0.5 + this.#rng.next() / 2);
    const untilMs = this.#clock.nowMs() + this.#lastEjectionMs;
    this.#breaker.open();
    this.#alarm = this.#wheel.arm(untilMs, () => this.#probe());
    this.#turn('ejected', reason, untilMs);
  }

  #probe(): void {
    this.#permit = this.#probePermit();
    this.#turn('probing', this.#story.reason, null);
  }

  #pass(reason: string): void {
    this.#disarm();
    this.#breaker.close();
    this.#run = noFailures;
    this.#cause = null;
    this.#permit = this.#passingPermit();
    this.#turn('passing', reason, null);
  }

  #turn(state: GateState, reason: string, untilMs: number | null): void {
    this.#state = state;
    this.#isProbed = false;
    // A permit of an earlier epoch is worth nothing any more.
    if (state === 'ejected') this.#permit = this.#passingPermit();
    this.#story = { reason, sinceMs: this.#clock.nowMs(), untilMs };
    this.changed.publish(this);
  }

  #disarm(): void {
    this.#alarm?.disarm();
    this.#alarm = null;
  }

  #renewBreaker(windowMs: number): void {
    const { isOpen } = this.#breaker;
    this.#breaker.shutdown();
    this.#breaker = new Breaker({ windowMs, clock: this.#clock });
    if (isOpen) this.#breaker.open();
  }
}
