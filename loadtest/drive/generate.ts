import { systemClock } from '../../gateway/kernel/system-clock.ts';
import type { Scenario, Target } from '../scenario/scenario.ts';
import { Connection, type Destination } from './connection.ts';
import { EventLoopDelay } from './event-loop-delay.ts';
import { requestBytesOf } from './request-bytes.ts';
import { type Generating, type Part, sendPlan } from './send-plan.ts';
import { punctualWake } from './wake.ts';

/** What a process is to do. */
export interface Assignment {
  readonly scenario: Scenario;
  readonly target: Target;
  readonly destination: Destination;
  readonly part: Part;
}

/** Sends a part of a plan from this process, beginning at an instant of wall time that all processes share. */
export function generate({ destination, ...assignment }: Assignment, startAtWallMs: number): Generating {
  const clock = systemClock;
  const startAtMs = clock.nowMs() + Math.max(0, startAtWallMs - clock.wallMs());
  const generating = sendPlan({
    ...assignment,
    clock,
    wakeAt: punctualWake(clock),
    startAtMs,
    requestOf: requestBytesOf(assignment.target),
    open: (owner) => new Connection(destination, owner),
  });
  const delay = watchedFrom(startAtMs + assignment.scenario.warmUpMs);
  const finished = generating.finished.then((generated) => ({ ...generated, eventLoopDelayP99Ms: delay.end() }));
  return { ...generating, finished };
}

/** The delay of the event loop from an instant on. */
function watchedFrom(atMs: number): { end(): number | null } {
  const delay = new EventLoopDelay();
  const timer = systemClock.after(atMs - systemClock.nowMs(), () => delay.reset());
  return {
    end() {
      timer.cancel();
      const p99Ms = delay.p99Ms();
      delay.close();
      return p99Ms;
    },
  };
}
