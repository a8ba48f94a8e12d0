import type { Gate } from '../guard/gate.ts';
import type { BoardSlot } from '../kernel/load-board.ts';
import { Topic } from '../kernel/topic.ts';
import type { LoadReport } from './load-report.ts';
import type { LoadMeter, LoadSignal } from './signal.ts';

/** What a replica says of itself. Only `ready` ones get requests; while one is `starting`, requests may wait for it. */
export type Standing = 'starting' | 'ready' | 'unready' | 'draining';

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
  readonly signal: LoadSignal;
  readonly slot: BoardSlot;
  readonly gate: Gate;
}

/** How far beyond a replica's slots requests are sent to it: enough that a slot never idles while the next request travels. */
const creditsPerSlot = 1.25;

/** One server process behind the gateway, with all the gateway knows of it. */
export class Replica {
  readonly id: string;
  readonly backendName: string;
  /** `backend/id`, as users see it. */
  readonly fullName: string;
  readonly address: Address;
  readonly weight: number;
  readonly slot: BoardSlot;
  readonly meter: LoadMeter;
  readonly gate: Gate;
  /** Tells that the replica may now be able to take a request it could not take before, or the reverse. */
  readonly changed = new Topic<Replica>();
  readonly #configuredSlots: number | null;
  #report: LoadReport | null = null;
  #standing: Standing = 'starting';
  #reason = 'not yet checked';
  #isDrained = false;

  constructor(options: Options) {
    this.id = options.id;
    this.backendName = options.backendName;
    this.fullName = `${options.backendName}/${options.id}`;
    this.address = options.address;
    this.weight = options.weight;
    this.slot = options.slot;
    this.gate = options.gate;
    this.meter = options.signal.newMeter(options.slot);
    this.#configuredSlots = options.slots;
  }

  get standing(): Standing {
    return this.#isDrained ? 'draining' : this.#standing;
  }

  /** Why it stands so, for people. */
  get reason(): string {
    return this.#isDrained ? 'drained by an operator' : this.#reason;
  }

  setStanding(standing: Standing, reason: string): void {
    this.#reason = reason;
    this.#change(() => {
      this.#standing = standing;
    });
  }

  /** An operator takes it out: it gets no more requests, whatever its health, until it is put back. What runs on it goes on. */
  drain(): void {
    this.#change(() => {
      this.#isDrained = true;
    });
  }

  /** Puts it back where its health says it stands by now. */
  undrain(): void {
    this.#change(() => {
      this.#isDrained = false;
    });
  }

  #change(make: () => void): void {
    const before = this.standing;
    make();
    if (this.standing !== before) this.changed.publish(this);
  }

  /** Requests it works on at once: as configured, else as it reports, else unknown (null). */
  get slots(): number | null {
    return this.#configuredSlots ?? this.#report?.slots ?? null;
  }

  /** The last it said of its load, null before it has said anything. */
  get report(): LoadReport | null {
    return this.#report;
  }

  /** Takes a load report in. Where slots are configured, the configuration holds. */
  takeReport(report: LoadReport): void {
    const slotsBefore = this.slots;
    this.#report = report;
    if (this.slots !== slotsBefore) this.changed.publish(this);
  }

  /** Whether it may be handed one more request. Unknown slots bind nothing: wrongly guessed ones would turn a fast replica into a queue. */
  get hasCredit(): boolean {
    const slots = this.slots;
    return slots === null || this.slot.inFlight < Math.ceil(creditsPerSlot * slots);
  }
}
