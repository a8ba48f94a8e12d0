import { WaitingLine } from '../../gateway/admission/waiting-line.ts';
import { unwatched } from '../../gateway/balance/decision.ts';
import { Dispatcher } from '../../gateway/balance/dispatcher.ts';
import { Lease } from '../../gateway/balance/lease.ts';
import type { LoadReport } from '../../gateway/balance/load-report.ts';
import type { Policy } from '../../gateway/balance/policy.ts';
import type { Peers, Replica } from '../../gateway/balance/replica.ts';
import type { LoadSignal } from '../../gateway/balance/signal.ts';
import type { TrafficGate } from '../../gateway/guard/traffic-gate.ts';
import { Cancellation } from '../../gateway/kernel/cancellation.ts';
import type { Clock } from '../../gateway/kernel/clock.ts';
import { LoadBoard } from '../../gateway/kernel/load-board.ts';
import type { Rng } from '../../gateway/kernel/rng.ts';
import type { TimerWheel } from '../../gateway/kernel/timer-wheel.ts';
import { lightWork } from '../../gateway/pipeline/ask.ts';
import { simulatedReplica } from './simulated-replica.ts';
import type { SimulatedServer } from './simulated-server.ts';

/** A way to balance, as the registry has it. */
export interface Balancing {
  readonly signal: LoadSignal;
  newPolicy(rng: Rng, clock: Clock): Policy;
  /**
   * What replicas tell with each answer: how loaded they are, or also their slots, which are then known from the beginning, and credits bind. `polled`:
   * the same, but nothing with answers, and all once a second on a page.
   */
  readonly tells: 'nothing' | 'load' | 'polled' | 'all';
}

interface Parts {
  readonly servers: readonly SimulatedServer[];
  readonly balancing: Balancing;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly rng: Rng;
  readonly peers: Peers;
}

/** From a gateway to a replica, and back. */
const oneWayMs = 0.5;

const pollEveryMs = 1_000;
const patient = { maxLength: 1_000_000, waitMs: 1e9 };

/** What of a gateway decides where requests go: the real dispatcher with its line, leases, gates, meters and policy. */
export class SimulatedGateway {
  readonly #clock: Clock;
  readonly #dispatcher: Dispatcher;
  readonly #servers: ReadonlyMap<Replica, SimulatedServer>;
  readonly #gates: readonly TrafficGate[];
  readonly #tells: Balancing['tells'];
  #isClosed = false;

  constructor({ servers, balancing, clock, wheel, rng, peers }: Parts) {
    this.#clock = clock;
    const board = new LoadBoard(servers.length);
    const { signal, tells } = balancing;
    const tellSlots = tells === 'all' || tells === 'polled';
    const made = servers.map((server, at) => {
      const slots = tellSlots && !server.isSilent ? server.slots : null;
      return { server, ...simulatedReplica({ id: `r${at}`, slots, signal, peers }, { board, clock, wheel, rng }) };
    });
    const replicas = made.map(({ replica }) => replica);
    this.#gates = made.map(({ gate }) => gate);
    this.#servers = new Map(made.map(({ replica, server }) => [replica, server]));
    this.#dispatcher = new Dispatcher({
      backendName: 'fleet',
      replicas,
      policy: balancing.newPolicy(rng, clock),
      policyName: 'simulated',
      decisions: unwatched,
      line: new WaitingLine(),
      queue: patient,
      clock,
      wheel,
      onSecondRelease: () => {
        throw new Error('a lease was released twice');
      },
    });
    this.#tells = tells;
    if (tells === 'polled') for (const replica of replicas) this.#poll(replica, rng.next() * pollEveryMs);
  }

  /** A request comes; calls when its answer is there. */
  send(answered: () => void): void {
    const cancellation = new Cancellation();
    const wish = { work: lightWork, cancellation, deadlineMs: Number.POSITIVE_INFINITY, wantsExplanation: false };
    const taken = this.#dispatcher.take(wish);
    if (taken instanceof Lease) this.#serve(taken, answered);
    else void taken.then((lease) => this.#serve(lease, answered));
  }

  #tell(lease: Lease, report: LoadReport): void {
    if (this.#tells === 'nothing' || this.#tells === 'polled') return;
    const told = this.#tells === 'all' ? report : { ...report, slots: null };
    lease.replica.state.takeReport(told, 'reply');
    lease.report(told);
  }

  #poll(replica: Replica, inMs: number): void {
    this.#clock.after(inMs, () => {
      const server = this.#servers.get(replica);
      if (this.#isClosed || server === undefined || server.isSilent) return;
      replica.state.takeReport(server.report(), 'scrape');
      this.#poll(replica, pollEveryMs);
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#dispatcher.close();
    for (const gate of this.#gates) gate.close();
  }

  #serve(lease: Lease, answered: () => void): void {
    this.#clock.after(oneWayMs, () => {
      const server = this.#servers.get(lease.replica);
      server?.serve((report) => {
        this.#clock.after(oneWayMs, () => {
          if (!server.isSilent) this.#tell(lease, report);
          lease.firstByte();
          lease.release('succeeded');
          answered();
        });
      });
    });
  }
}
