import { Lease, type LeaseWatcher } from '../../gateway/balance/lease.ts';
import { type LoadReport, silence } from '../../gateway/balance/load-report.ts';
import type { NonEmpty } from '../../gateway/balance/policy.ts';
import { type Address, Replica } from '../../gateway/balance/replica.ts';
import { ReplicaState, type Standing } from '../../gateway/balance/replica-state.ts';
import type { LoadSignal } from '../../gateway/balance/signal.ts';
import { outstanding } from '../../gateway/balance/signals/outstanding.ts';
import type { Work } from '../../gateway/balance/work.ts';
import type { Gate } from '../../gateway/guard/gate.ts';
import { LoadBoard } from '../../gateway/kernel/load-board.ts';
import { lightWork } from '../../gateway/pipeline/ask.ts';
import { newGate, newTime } from './gates.ts';

/** What a test says of a replica; it is ready, idle, of weight 1 and unknown slots unless said otherwise. */
export interface ReplicaSpec {
  readonly id?: string;
  readonly weight?: number;
  readonly slots?: number | null;
  readonly zone?: string | null;
  readonly inFlight?: number;
  readonly standing?: Standing;
  readonly gate?: Gate;
  readonly signal?: LoadSignal;
  readonly address?: Partial<Address>;
  /** Its own unless said otherwise. */
  readonly time?: ReturnType<typeof newTime>;
  /** Shared with another replica; one of its own where none is given. */
  readonly state?: ReplicaState;
}

/** One replica with a load board to itself. */
export function newReplica(spec: ReplicaSpec = {}): Replica {
  const { id = 'a', weight = 1, slots = null, zone = null, inFlight = 0, standing = 'ready' } = spec;
  const { gate = newGate(), signal = outstanding } = spec;
  const address = {
    origin: `http://${id}`,
    basePath: '',
    socketPath: null,
    headers: {},
    tls: { caPem: null, serverName: null },
    ...spec.address,
  };
  const { state = new ReplicaState({ slot: new LoadBoard(1).takeSlot(), gate, ...(spec.time ?? newTime()) }) } = spec;
  const replica = new Replica({ id, backendName: 'pool', address, weight, slots, zone, signal, state });
  replica.state.setStanding(standing, 'as the test says');
  for (let n = 0; n < inFlight; n++) hold(replica);
  return replica;
}

/** Some replicas called a, b, c and so on where they are not named otherwise. */
export function newReplicas(first: ReplicaSpec, ...others: readonly ReplicaSpec[]): NonEmpty<Replica> {
  const name = (at: number): { id: string } => ({ id: String.fromCharCode('a'.charCodeAt(0) + at) });
  return [newReplica({ ...name(0), ...first }), ...others.map((spec, at) => newReplica({ ...name(at + 1), ...spec }))];
}

/** Has a replica say some of its load with the answer to a request. */
export function tellLoad({ state }: Replica, said: Partial<LoadReport>): void {
  state.takeReport({ ...silence, ...said }, 'reply');
}

const nobodyWatches: LeaseWatcher = {
  released: () => {},
  releasedTwice: () => {
    throw new Error('a lease was released twice');
  },
};

/** Sends a request to a replica, as the dispatcher does, and leaves it there. */
export function hold(replica: Replica, work: Work = lightWork): Lease {
  const permit = replica.gate.enter();
  if (permit === null) throw new Error(`the gate of ${replica.fullName} lets nothing pass`);
  return new Lease(replica, replica.meter.begin(work), permit, nobodyWatches);
}
