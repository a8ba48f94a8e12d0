import { isDeepStrictEqual } from 'node:util';
import { checkReplica } from './assemble-checks.ts';
import { tellOfReplica } from './assemble-events.ts';
import { beginScraping, warnOfFaults } from './assemble-reports.ts';
import type { Spot } from './balance/claims.ts';
import { balancings } from './balance/registry.ts';
import { type Address, type Peers, Replica } from './balance/replica.ts';
import { ReplicaState } from './balance/replica-state.ts';
import { LocalWorker, type WorkerWatcher } from './elastic/actuators/local-worker.ts';
import type { Fleet } from './guard/fleet.ts';
import { Prober } from './guard/prober.ts';
import { TrafficGate } from './guard/traffic-gate.ts';
import type { Clock } from './kernel/clock.ts';
import type { LoadBoard } from './kernel/load-board.ts';
import type { Rng } from './kernel/rng.ts';
import type { TimerWheel } from './kernel/timer-wheel.ts';
import type { BackendSettings, ReplicaPlace, ReplicaSettings } from './settings/settings.ts';
import type { EventLog } from './telemetry/event-log.ts';
import type { Log } from './telemetry/log.ts';
import type { Transport } from './upstream/transport.ts';

/** What replicas are built from besides their settings. */
export interface ReplicaParts {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly rng: Rng;
  readonly board: LoadBoard;
  readonly transport: Transport;
  readonly log: Log;
  readonly events: EventLog;
  readonly peers: Peers;
  /** The path of a socket for one more bundled worker. */
  newSocketPath(): string;
  /** The program that runs a bundled worker, to which its options are added. */
  readonly workerCommand: readonly [string, ...string[]];
  readonly bundledModels: string;
  /** Every life that has begun and not ended: each enters itself. */
  readonly living: Set<ReplicaLife>;
}

/** What is one process for as long as it stays the same. */
export function placeOf({ at }: ReplicaSettings, { protocol }: BackendSettings): string {
  return JSON.stringify([protocol, at]);
}

interface Held {
  readonly replica: Replica;
  readonly backend: BackendSettings;
  readonly fleet: Fleet;
}

/**
 * One process behind the gateway over all the generations that hold it: what is known of it, the checks that keep its standing true, and
 * the process itself where it is a bundled worker. It ends with the last generation that holds it.
 */
export class ReplicaLife implements Spot {
  readonly place: string;
  readonly state: ReplicaState;
  readonly #parts: ReplicaParts;
  readonly #socketPath: string | null;
  readonly #worker: LocalWorker | null;
  readonly #gate: TrafficGate;
  readonly #undoTelling: readonly (() => void)[];
  /** Its replicas, the newest last. */
  readonly #held: Held[] = [];
  /** The one it is checked by; null until it starts. */
  #followed: Held | null = null;
  #prober: Prober | null = null;
  #endScraping: () => void = () => {};
  #closing: Promise<void> | null = null;

  constructor({ at }: ReplicaSettings, { breaker }: BackendSettings, place: string, parts: ReplicaParts) {
    this.place = place;
    this.#parts = parts;
    this.#gate = new TrafficGate({ rules: breaker, ...parts });
    this.state = new ReplicaState({ slot: parts.board.takeSlot(), gate: this.#gate, ...parts });
    this.#socketPath = at.kind === 'url' ? at.socketPath : parts.newSocketPath();
    this.#worker =
      at.kind === 'url' || this.#socketPath === null
        ? null
        : this.#newWorker(workerCommand(at, this.#socketPath, parts), this.#socketPath);
    const faults = warnOfFaults(this.state, () => this.#fullName, parts.log);
    this.#undoTelling = [this.#logStanding(), this.#logGate(), faults, tellOfReplica(this, parts.events)];
    parts.living.add(this);
  }

  /** As the newest generation that holds it calls it, as `id`. */
  get backendName(): string {
    return this.#held.at(-1)?.replica.backendName ?? '';
  }

  get id(): string {
    return this.#held.at(-1)?.replica.id ?? '';
  }

  get isClosing(): boolean {
    return this.#closing !== null;
  }

  /** Makes it the replica that a generation's settings describe, which holds it from now on. */
  hold(settings: ReplicaSettings, backend: BackendSettings, fleet: Fleet): Replica {
    const { id, weight, slots, zone, at, headers, caPem, serverName } = settings;
    const { origin, basePath } = at.kind === 'url' ? at : { origin: 'http://localhost', basePath: '' };
    const tls = { caPem, serverName };
    const address: Address = { origin, basePath, socketPath: this.#socketPath, headers, tls };
    const { signal } = balancings[backend.policy];
    const { state } = this;
    const { peers } = this.#parts;
    const replica = new Replica({ id, backendName: backend.name, address, weight, slots, zone, signal, state, peers });
    this.#parts.transport.hold(replica, backend.timeouts.connectMs);
    this.#held.push({ replica, backend, fleet });
    return replica;
  }

  /** Goes by one of its replicas from now on. What has not started starts; checks that are to be made otherwise start anew, and its standing stays until they tell otherwise. */
  follow(replica: Replica): void {
    const held = this.#held.find((one) => one.replica === replica);
    if (held === undefined || this.isClosing) return;
    const before = this.#followed;
    this.#followed = held;
    const { breaker } = held.backend;
    this.#gate.obey(breaker, held.fleet);
    this.state.slowStartMs = breaker.slowStartMs;
    this.#endScraping();
    this.#endScraping = beginScraping(replica, held.backend, this.#parts);
    if (before !== null && isDeepStrictEqual(before.backend.health, held.backend.health)) return;
    const isRunning = this.#prober === null ? this.#worker === null : this.#prober.isRunning;
    this.#prober?.close();
    this.#prober = this.#newProber(held.backend);
    if (isRunning) this.#prober.start();
    if (before === null) this.#worker?.start();
  }

  /** A generation holds it no more. Resolves when what ends with that has ended. */
  async letGo(replica: Replica): Promise<void> {
    const at = this.#held.findIndex((one) => one.replica === replica);
    this.#held.splice(at, 1);
    const newest = this.#held.at(-1);
    if (newest !== undefined && this.#followed?.replica === replica) this.follow(newest.replica);
    await Promise.all([this.#parts.transport.forget(replica), newest === undefined ? this.close() : null]);
  }

  /** Ends it, once. Resolves when its process is gone. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { board, living } = this.#parts;
    this.#prober?.close();
    this.#endScraping();
    for (const undo of this.#undoTelling) undo();
    this.#gate.close();
    this.state.rest.close();
    board.returnSlot(this.state.slot);
    await this.#worker?.stop();
    living.delete(this);
  }

  #newProber({ health }: BackendSettings): Prober {
    const { clock, rng } = this.#parts;
    return new Prober({
      check: () => this.#check(),
      tell: (isReady, reason) => this.state.setStanding(isReady ? 'ready' : 'unready', reason),
      everyMs: health.everyMs,
      failuresToUnready: health.failuresToUnready,
      successesToReady: health.successesToReady,
      // Replicas that are checked all at the same moment would feel it.
      phaseShare: rng.next(),
      clock,
    });
  }

  async #check(): Promise<string | null> {
    if (this.#followed === null) return 'not yet started';
    const { replica, backend } = this.#followed;
    return checkReplica(replica, backend, this.#parts);
  }

  #newWorker(command: [string, ...string[]], socketPath: string): LocalWorker {
    const { clock, log } = this.#parts;
    const watcher: WorkerWatcher = {
      starting: (pid) => {
        log.info({ replica: this.#fullName, pid }, 'worker started');
        // What an operator has taken out stays out.
        if (this.#gate.cause !== 'operator') this.#gate.readmit(`its process ${pid} is a new one`);
        this.state.setStanding('starting', `its process ${pid} loads the models`);
      },
      ready: () => this.#prober?.start(),
      exited: (reason, restartInMs) => {
        this.#prober?.stop();
        // For one that is back in a moment requests wait.
        const standing = restartInMs <= momentMs ? 'starting' : 'unready';
        this.state.setStanding(standing, `its process ${reason}, the next one starts in ${restartInMs} ms`);
      },
    };
    return new LocalWorker({ command, socketPath, clock, watcher });
  }

  #logStanding(): () => void {
    let last = this.state.standing;
    return this.state.changed.subscribe(({ standing, reason }) => {
      if (standing === last) return;
      last = standing;
      const facts = { replica: this.#fullName, standing, reason };
      if (last === 'unready') this.#parts.log.warn(facts, 'replica');
      else this.#parts.log.info(facts, 'replica');
    });
  }

  #logGate(): () => void {
    let last = this.#gate.state;
    return this.#gate.changed.subscribe(({ state, cause, story: { reason, untilMs } }) => {
      if (state === last) return;
      last = state;
      const forMs = untilMs === null ? {} : { forMs: Math.round(untilMs - this.#parts.clock.nowMs()) };
      const facts = { replica: this.#fullName, gate: state, ...(cause === null ? {} : { cause }), reason, ...forMs };
      const lastFailure = this.state.lastFailure?.what ?? null;
      if (last === 'ejected') this.#parts.log.warn({ ...facts, lastFailure }, 'replica');
      else this.#parts.log.info(facts, 'replica');
    });
  }

  get #fullName(): string {
    return `${this.backendName}/${this.id}`;
  }
}

const momentMs = 1_000;

function workerCommand(
  at: Extract<ReplicaPlace, { kind: 'worker' }>,
  socketPath: string,
  { workerCommand: command, bundledModels }: ReplicaParts,
): [string, ...string[]] {
  const models = at.models.flatMap((model) => ['--model', model]);
  return [
    ...command,
    '--models',
    at.folder ?? bundledModels,
    ...models,
    '--socket',
    socketPath,
    '--threads',
    String(at.threads),
  ];
}
