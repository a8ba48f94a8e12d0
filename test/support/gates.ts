import { freePermit, type Gate } from '../../gateway/guard/gate.ts';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { TimerWheel } from '../../gateway/kernel/timer-wheel.ts';
import { Topic } from '../../gateway/kernel/topic.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';

export { usualRules as defaultRules } from '../../loadtest/balancing/simulated-replica.ts';

/** A gate that lets everything pass and judges nothing, but for what a test says of it. */
export function newGate(spec: Partial<Gate> = {}): Gate {
  const state = spec.state ?? 'passing';
  return {
    state,
    cause: state === 'ejected' ? 'unreachable' : null,
    story: { reason: 'as the test says', sinceMs: 0, untilMs: null },
    admits: state !== 'ejected',
    changed: new Topic<Gate>(),
    enter: () => (state === 'ejected' ? null : freePermit),
    eject: () => {},
    readmit: () => {},
    ...spec,
  };
}

/** Time and chance for one test's own. */
export function newTime(seed = 1) {
  const clock = new VirtualClock();
  return { clock, wheel: new TimerWheel(clock), rng: seededRng(seed) };
}
