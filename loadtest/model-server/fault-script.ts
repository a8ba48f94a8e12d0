import type { Rng } from '../../gateway/kernel/rng.ts';
import type { FaultSettings } from './fault-settings.ts';
import { Pace, type Slowing } from './pace.ts';

/** What becomes of one request. */
export type Fate =
  | { readonly kind: 'serve' }
  | { readonly kind: 'fail'; readonly status: number; readonly retryAfterMs: number | null }
  | { readonly kind: 'hang' }
  | { readonly kind: 'reset' }
  /** It is served, and in mid-answer it falls silent or is cut off. */
  | { readonly kind: 'break'; readonly how: 'stall' | 'reset'; readonly afterTokens: number };

/** What a server is as a whole: `closed` takes no connection, `dead` has lost everything besides. */
export type Condition = 'up' | 'starting' | 'closed' | 'dead';

/** The faults of one server as a function of the time since its start. Only which requests are hit is drawn. */
export class FaultScript {
  readonly pace: Pace;
  /** When its condition may change, in order. */
  readonly changesAtMs: readonly number[];
  readonly #faults: readonly FaultSettings[];
  readonly #rng: Rng;

  constructor(faults: readonly FaultSettings[], rng: Rng) {
    this.#faults = faults;
    this.#rng = rng;
    this.pace = new Pace(
      faults.flatMap((fault): Slowing[] => {
        if (fault.kind === 'slow') return [fault];
        return fault.kind === 'pause' ? [{ ...fault, by: Number.POSITIVE_INFINITY }] : [];
      }),
    );
    const instants = faults
      .filter(({ kind }) => kind === 'refuse' || kind === 'cold_start' || kind === 'interruption')
      .flatMap((fault) => [takesHoldAtMs(fault), fault.untilMs]);
    this.changesAtMs = [...new Set(instants)].filter(Number.isFinite).toSorted((a, b) => a - b);
  }

  /** What becomes of a request that comes now; of several faults that would hit it, the first that was written does. */
  fateAt(nowMs: number): Fate {
    for (const fault of this.#faults) {
      if (!isOn(fault, nowMs) || !('share' in fault)) continue;
      if (fault.share < 1 && this.#rng.next() >= fault.share) continue;
      if (fault.kind === 'fail' || fault.kind === 'hang') return fault;
      if (fault.afterTokens === null) return { kind: 'reset' };
      return { kind: 'break', how: fault.kind, afterTokens: fault.afterTokens };
    }
    return { kind: 'serve' };
  }

  /** The worst of what it is in at a moment. */
  conditionAt(nowMs: number): Condition {
    const kinds = this.#faults
      .filter((one) => nowMs >= takesHoldAtMs(one) && nowMs < one.untilMs)
      .map(({ kind }) => kind);
    if (kinds.includes('interruption')) return 'dead';
    if (kinds.includes('refuse')) return 'closed';
    return kinds.includes('cold_start') ? 'starting' : 'up';
  }

  /** When it must end, if it has been told so. */
  noticeAt(nowMs: number): number | null {
    const told = this.#faults.find((one) => one.kind === 'interruption' && isOn(one, nowMs));
    return told === undefined ? null : takesHoldAtMs(told);
  }
}

function isOn({ atMs, untilMs }: FaultSettings, nowMs: number): boolean {
  return nowMs >= atMs && nowMs < untilMs;
}

/** When a fault takes hold: an interruption does when its notice has run out. */
function takesHoldAtMs(fault: FaultSettings): number {
  return fault.atMs + (fault.kind === 'interruption' ? fault.noticeMs : 0);
}
