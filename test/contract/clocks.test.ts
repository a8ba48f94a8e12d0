import { systemClock } from '../../gateway/kernel/system-clock.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { clockSuite } from './clock-suite.ts';

clockSuite('the virtual clock', () => {
  const clock = new VirtualClock();
  return {
    clock,
    earlyMs: 0,
    async until(promise) {
      let hasSettled = false;
      promise.finally(() => {
        hasSettled = true;
      });
      while (!hasSettled) await clock.runUntil(clock.nowMs() + 0.1);
      return promise;
    },
  };
});

clockSuite('the system clock', () => ({ clock: systemClock, until: (promise) => promise, earlyMs: 1 }));
