import type { Gate } from '../guard/gate.ts';
import type { BoardSlot } from '../kernel/load-board.ts';
import type { Topic } from '../kernel/topic.ts';
import type { LoadReport } from './load-report.ts';
import { boundless, creditsOf, type ReplicaState, type Standing } from './replica-state.ts';
import type { LoadMeter, LoadSignal } from './signal.ts';

/** Where a replica listens and how to speak to it. */
export interface Address {
  /** `http://host:port` or `https://host:port`; for a Unix socket the host is a placeholder. */
  readonly origin: string;
  /** Prefix of every path, without a trailing slash; empty for none. */
  readonly basePath: string;
  readonly socketPath: string | null;
  /** Sent with every request, over whatever the client sent: where a replica's credential stands. Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: { readonly caPem: string | null; readonly serverName: string | null };
}

interface Options {
  readonly id: string;
  readonly backendName: string;
  readonly address: Address;
  readonly weight: number;
  /** Requests it works on at once, as configured; null where it is left to the replica to report. */
  readonly slots: number | null;
  /** Where it stands; near where that is not said. */
  readonly zone?: string | null;
  readonly signal: LoadSignal;
  readonly state: ReplicaState;
  /** Who else sends to it; nobody where that is not said. */
  readonly peers?: Peers;
}

/** Who sends to the same replicas. */
export interface Peers {
  /** How many gateways, this one included. */
  readonly gateways: number;
}

/** Nobody else. */
export const alone: Peers = { gateways: 1 };

/** One server process behind the gateway, as one configuration has it; what is known of it stands in its state. */
export class Replica {
  readonly id: string;
  readonly backendName: string;
  /** `backend/id`, as users see it. */
  readonly fullName: string;
  readonly address: Address;
  readonly configuredWeight: number;
  /** Null for near, wherever the gateway stands. */
  readonly zone: string | null;
  readonly state: ReplicaState;
  readonly slot: BoardSlot;
  readonly meter: LoadMeter;
  readonly priceUnit: LoadSignal['unit'];
  readonly gate: Gate;
  readonly #configuredSlots: number | null;
  /** 0 where slots are not configured. */
  readonly #configuredCredits: number;
  readonly #peers: Peers;

  constructor({ id, backendName, address, weight, slots, zone = null, signal, state, peers = alone }: Options) {
    this.id = id;
    this.backendName = backendName;
    this.fullName = `${backendName}/${id}`;
    this.address = address;
    this.configuredWeight = weight;
    this.zone = zone;
    this.state = state;
    this.slot = state.slot;
    this.gate = state.gate;
    state.configuredSlots = slots;
    this.meter = state.meterOf(signal);
    this.priceUnit = signal.unit;
    this.#configuredSlots = slots;
    this.#configuredCredits = slots === null ? 0 : creditsOf(slots);
    this.#peers = peers;
  }

  /** How much it shall carry in proportion to the others: as configured, or less while it warms up. */
  get weight(): number {
    const { state, configuredWeight } = this;
    return state.isWarm ? configuredWeight : configuredWeight * state.warmShare;
  }

  get standing(): Standing {
    return this.state.standing;
  }

  /** Why it stands so, for people. */
  get reason(): string {
    return this.state.reason;
  }

  /** Tells that it may now be able to take a request it could not take before, or the reverse. */
  get changed(): Topic<ReplicaState> {
    return this.state.changed;
  }

  /** Requests it works on at once: as configured, else as it reports, else unknown (null). */
  get slots(): number | null {
    return this.#configuredSlots ?? this.state.reportedSlots;
  }

  get knowsSlots(): boolean {
    return this.#configuredCredits > 0 || this.state.reportedCredits < boundless;
  }

  /** The last it said of its load, null before it has said anything. */
  get report(): LoadReport | null {
    return this.state.report;
  }

  /** Whether it may be handed one more request. Unknown slots bind nothing: wrongly guessed ones would turn a fast replica into a queue. Several gateways share its credits, and have one each at least. */
  get hasCredit(): boolean {
    return this.slot.inFlight * this.#peers.gateways < (this.#configuredCredits || this.state.reportedCredits);
  }
}
