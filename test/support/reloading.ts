import assert from 'node:assert/strict';
import pino from 'pino';
import { assembleCache } from '../../gateway/assemble-cache.ts';
import { Generations } from '../../gateway/assemble-generations.ts';
import type { ReplicaLife } from '../../gateway/assemble-replica.ts';
import { unwatched } from '../../gateway/balance/decision.ts';
import { alone, type Replica } from '../../gateway/balance/replica.ts';
import { asGatewayError } from '../../gateway/kernel/errors.ts';
import { type BoardSlot, LoadBoard } from '../../gateway/kernel/load-board.ts';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { TimerWheel } from '../../gateway/kernel/timer-wheel.ts';
import { Topic } from '../../gateway/kernel/topic.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { BufferRoom } from '../../gateway/pipeline/buffer-room.ts';
import type { Exchange } from '../../gateway/pipeline/exchange.ts';
import type { Generation } from '../../gateway/pipeline/generation.ts';
import { RunningExchanges } from '../../gateway/pipeline/running.ts';
import type { TryFact } from '../../gateway/pipeline/try-fact.ts';
import { requestPath, routePath } from '../../gateway/request-path.ts';
import { parseSettings } from '../../gateway/settings/load.ts';
import { Copies } from '../../gateway/stages/mirror.ts';
import { EventLog } from '../../gateway/telemetry/event-log.ts';
import type { Reachable } from '../../gateway/upstream/transport.ts';
import { type Connections, UndiciTransport } from '../../gateway/upstream/undici-transport.ts';
import { smallCache } from './caching/settings.ts';
import { newExchange } from './exchanges.ts';
import { type Script, SimulatedReplica } from './simulated-replica.ts';

interface Options {
  readonly seed?: number;
  /** How the replica at a host answers; health checks are answered by `health`. */
  readonly script?: (host: string, requestNumber: number) => Script;
  /** Places for replicas there are. */
  readonly capacity?: number;
}

/** What became of one request. */
export interface Asked {
  readonly exchange: Exchange;
  /** Null as long as it has not ended. */
  status: number | null;
}

/** A board that knows what is taken, and lets nothing be returned twice. */
class CountedBoard extends LoadBoard {
  readonly taken = new Set<BoardSlot>();

  override takeSlot(): BoardSlot {
    const slot = super.takeSlot();
    this.taken.add(slot);
    return slot;
  }

  override returnSlot(slot: BoardSlot): void {
    assert.ok(this.taken.delete(slot), 'a slot is returned once');
    assert.equal(slot.inFlight, 0, 'nothing is in flight where a replica ends');
    super.returnSlot(slot);
  }
}

/** Generations as the gateway has them on the virtual clock, from the exchange down to undici's handler; only sockets are simulated. */
export class Reloading {
  readonly clock = new VirtualClock();
  readonly wheel = new TimerWheel(this.clock);
  readonly living = new Set<ReplicaLife>();
  readonly board: CountedBoard;
  readonly generations: Generations;
  readonly running: RunningExchanges;
  readonly secondReleases = { count: 0 };
  /** By host, what its health checks are answered with; 200 where nothing is said. */
  readonly health = new Map<string, Script>();
  /** By host, what it answers where it is asked what it serves as a model; 404 where nothing is said. */
  readonly metadata = new Map<string, Script>();
  /** Requests and health checks by host, as they came. */
  readonly seen = new Map<string, SimulatedReplica['seen']>();
  /** Connections by host, `opened h` and `closed h`, in order. */
  readonly links: string[] = [];
  readonly asked: Asked[] = [];
  readonly #script: (host: string, requestNumber: number) => Script;

  /** Begins with a configuration, in the least form that is valid: `backends: [...]`. */
  constructor(yaml: string, { seed = 1, script = () => ({ headAfterMs: 10 }), capacity = 100 }: Options = {}) {
    const { clock, wheel, living, secondReleases } = this;
    this.#script = script;
    this.board = new CountedBoard(capacity);
    const rng = seededRng(seed);
    const transport = new UndiciTransport({ clock, wheel, connect: (replica) => this.#connect(replica) });
    const topics = { settled: new Topic<Exchange>(), tried: new Topic<TryFact>() };
    const room = new BufferRoom(100_000);
    const copies = new Copies(room);
    const cache = assembleCache(smallCache, { clock, rng, room });
    this.generations = new Generations(parseSettings(yaml, 'gateway.yaml', {}), {
      clock,
      wheel,
      rng,
      transport,
      living,
      secondReleases,
      events: new EventLog(clock),
      decisions: unwatched,
      peers: alone,
      board: this.board,
      log: pino({ level: 'silent' }),
      serveFor: (route) => routePath(route, { ...cache, transport, clock, wheel, rng, tried: topics.tried, copies }),
      newSocketPath: () => assert.fail('no workers here'),
      workerCommand: [''],
      bundledModels: '',
    });
    const limits = { maxBodyBytes: 1000, room };
    this.running = new RunningExchanges(requestPath({ settled: topics.settled, limits, clock, rng }), topics.settled);
    this.generations.start();
  }

  get current(): Generation {
    return this.generations.current.generation;
  }

  /** The replica of the current generation that is called so. */
  replica(fullName: string): Replica {
    const all = this.current.backends.flatMap(({ replicas }) => replicas);
    return all.find((one) => one.fullName === fullName) ?? assert.fail(`there is no ${fullName}`);
  }

  /** Lets time pass. */
  async pass(byMs = 0): Promise<void> {
    await this.clock.runUntil(this.clock.nowMs() + byMs);
  }

  /** Begins a reload; resolves when it is in force or refused. */
  reload(yaml: string): Promise<void> {
    return this.generations.replace(parseSettings(yaml, 'gateway.yaml', {}));
  }

  /** Sends a request for a model now. */
  ask(model = 'm'): Asked {
    const exchange = newExchange({ clock: this.clock, wheel: this.wheel, generation: this.current, model });
    const asked: Asked = { exchange, status: null };
    this.asked.push(asked);
    this.running.serve(exchange).then(
      ({ status, body }) =>
        body.pump({
          chunk: () => true,
          onDrain: () => {},
          end: (end) => {
            asked.status = end === 'complete' ? status : 0;
          },
        }),
      (thrown) => {
        asked.status = asGatewayError(thrown).status;
      },
    );
    return asked;
  }

  /** What is still held when nothing should be but the current generation: empty when all is well. */
  leftovers(): string[] {
    const found: string[] = [];
    const own = new Set(this.generations.current.members.map(({ life }) => life));
    for (const life of this.living) {
      if (!own.has(life)) found.push(`${life.backendName}/${life.id} at ${life.place} has not ended`);
      if (life.state.slot.inFlight !== 0) found.push(`${life.id} has ${life.state.slot.inFlight} in flight`);
    }
    for (const { name, dispatcher } of this.current.backends)
      if (dispatcher.waitingCount !== 0) found.push(`${name} has ${dispatcher.waitingCount} waiting`);
    if (this.board.taken.size !== own.size) found.push(`${this.board.taken.size} slots for ${own.size} replicas`);
    if (this.running.count !== 0) found.push(`${this.running.count} exchanges are running`);
    if (this.current.underWay !== 0) found.push(`${this.current.underWay} are under way`);
    if (this.secondReleases.count !== 0) found.push(`${this.secondReleases.count} leases were released twice`);
    return found;
  }

  #connect({ address }: Reachable): Connections {
    const { host } = new URL(address.origin);
    const isCheck = (path: string): boolean => path.includes('/health/');
    const replica = new SimulatedReplica(this.clock, (requestNumber, path) => {
      if (isCheck(path)) return this.health.get(host) ?? {};
      const isQuestion = /^\/v2\/models\/[^/]+$/.test(path);
      return isQuestion ? (this.metadata.get(host) ?? { status: 404 }) : this.#script(host, requestNumber);
    });
    this.links.push(`opened ${host}`);
    const seen = this.seen.get(host) ?? [];
    this.seen.set(host, seen);
    return {
      dispatch: (options, handler) => {
        const isTaken = replica.dispatch(options, handler);
        seen.push(...replica.seen.slice(-1));
        return isTaken;
      },
      close: async () => {
        this.links.push(`closed ${host}`);
      },
      destroy: async () => {},
    };
  }
}
