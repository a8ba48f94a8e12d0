import { WaitingLine } from '../../gateway/admission/waiting-line.ts';
import { type DecisionWatch, unwatched } from '../../gateway/balance/decision.ts';
import { Dispatcher, type Wish } from '../../gateway/balance/dispatcher.ts';
import type { Lease } from '../../gateway/balance/lease.ts';
import { type BalancingName, balancings } from '../../gateway/balance/registry.ts';
import type { Replica } from '../../gateway/balance/replica.ts';
import { Cancellation } from '../../gateway/kernel/cancellation.ts';
import { GatewayError } from '../../gateway/kernel/errors.ts';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { TimerWheel } from '../../gateway/kernel/timer-wheel.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { lightWork } from '../../gateway/pipeline/ask.ts';

interface Options {
  readonly policy?: BalancingName;
  readonly maxLength?: number;
  readonly waitMs?: number;
  /** One that goes on with the line, the clock and the wheel of this one, as after a reload. */
  readonly after?: Dispatching;
  /** Of one's own unless said otherwise. */
  readonly clock?: VirtualClock;
  readonly wheel?: TimerWheel;
  readonly seed?: number;
  readonly decisions?: DecisionWatch;
}

/** What became of one wish. */
export interface Taken {
  readonly wish: Wish;
  lease: Lease | null;
  error: GatewayError | null;
}

/** A dispatcher on a virtual clock. */
export class Dispatching {
  readonly clock: VirtualClock;
  readonly wheel: TimerWheel;
  readonly dispatcher: Dispatcher;
  readonly releasedTwice: Lease[] = [];

  constructor(replicas: readonly Replica[], options: Options = {}) {
    const { policy = 'least-outstanding', maxLength = 1000, waitMs = 10_000, seed = 1, after } = options;
    this.clock = after?.clock ?? options.clock ?? new VirtualClock();
    this.wheel = after?.wheel ?? options.wheel ?? new TimerWheel(this.clock);
    this.dispatcher = new Dispatcher({
      backendName: 'pool',
      replicas,
      policy: balancings[policy].newPolicy(seededRng(seed)),
      policyName: policy,
      decisions: options.decisions ?? unwatched,
      line: after?.dispatcher.line ?? new WaitingLine(),
      queue: { maxLength, waitMs },
      clock: this.clock,
      wheel: this.wheel,
      onSecondRelease: (lease) => this.releasedTwice.push(lease),
    });
  }

  /** A wish that is cancelled when its deadline passes, as an exchange is. */
  wish(deadlineMs = Number.POSITIVE_INFINITY, wantsExplanation = false): Wish {
    const cancellation = new Cancellation();
    if (deadlineMs < Number.POSITIVE_INFINITY)
      this.wheel.arm(deadlineMs, () => cancellation.cancel(new GatewayError('deadline_exceeded', 'too late')));
    return { work: lightWork, cancellation, deadlineMs, wantsExplanation };
  }

  /** Takes a lease, or waits for one; what comes of it shows once promises have settled. */
  take(notThese: readonly Replica[] = [], wish: Wish = this.wish()): Taken {
    const taken: Taken = { wish, lease: null, error: null };
    const given = (lease: Lease): void => {
      taken.lease = lease;
    };
    const refused = (thrown: unknown): void => {
      if (!(thrown instanceof GatewayError)) throw thrown;
      taken.error = thrown;
    };
    try {
      const result = this.dispatcher.take(wish, notThese);
      if (result instanceof Promise) result.then(given, refused);
      else given(result);
    } catch (thrown) {
      refused(thrown);
    }
    return taken;
  }

  /** Lets promises settle, and time pass. */
  async pass(byMs = 0): Promise<void> {
    await this.clock.runUntil(this.clock.nowMs() + byMs);
  }
}
