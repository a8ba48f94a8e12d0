import { Replica } from '../../gateway/balance/replica.ts';
import { ReplicaState } from '../../gateway/balance/replica-state.ts';
import { TrafficGate } from '../../gateway/guard/traffic-gate.ts';
import type { GateRules } from '../../gateway/guard/trip-rules.ts';
import type { Clock } from '../../gateway/kernel/clock.ts';
import type { LoadBoard } from '../../gateway/kernel/load-board.ts';
import type { Rng } from '../../gateway/kernel/rng.ts';
import type { TimerWheel } from '../../gateway/kernel/timer-wheel.ts';

/** As the configuration has them where it says nothing. */
export const usualRules: GateRules = {
  consecutiveFailures: 5,
  successShareBelow: 0.8,
  windowMs: 10_000,
  minRequests: 10,
  ejectMs: 5_000,
  ejectMaxMs: 300_000,
};

type Described = Pick<ConstructorParameters<typeof Replica>[0], 'id' | 'slots' | 'signal' | 'peers'>;

interface Parts {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly rng: Rng;
  readonly board: LoadBoard;
}

/** A replica as the balancer knows it, ready and with a gate of its own, at an address where nobody is. */
export function simulatedReplica(
  described: Described,
  { board, ...time }: Parts,
): { replica: Replica; gate: TrafficGate } {
  const gate = new TrafficGate({ rules: usualRules, ...time });
  const state = new ReplicaState({ slot: board.takeSlot(), gate, ...time });
  state.setStanding('ready', 'as the simulation says');
  const replica = new Replica({ ...described, backendName: 'fleet', address: nowhere, weight: 1, state });
  return { replica, gate };
}

const nowhere = {
  origin: 'http://simulated',
  basePath: '',
  socketPath: null,
  headers: {},
  tls: { caPem: null, serverName: null },
};
