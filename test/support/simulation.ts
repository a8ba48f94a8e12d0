import { WaitingLine } from '../../gateway/admission/waiting-line.ts';
import { assembleHedging, assembleRetrying } from '../../gateway/assemble-backend.ts';
import { type AssembledCache, assembleCache } from '../../gateway/assemble-cache.ts';
import { assembleRoutes } from '../../gateway/assemble-routes.ts';
import type { Backend, TryTimeouts } from '../../gateway/balance/backend.ts';
import { unwatched } from '../../gateway/balance/decision.ts';
import { Dispatcher } from '../../gateway/balance/dispatcher.ts';
import { untold } from '../../gateway/balance/model-revisions.ts';
import { type BalancingName, balancings } from '../../gateway/balance/registry.ts';
import { Replica } from '../../gateway/balance/replica.ts';
import { ReplicaState } from '../../gateway/balance/replica-state.ts';
import { Fleet } from '../../gateway/guard/fleet.ts';
import { TrafficGate } from '../../gateway/guard/traffic-gate.ts';
import { asGatewayError, GatewayError } from '../../gateway/kernel/errors.ts';
import { LoadBoard } from '../../gateway/kernel/load-board.ts';
import { type Rng, seededRng } from '../../gateway/kernel/rng.ts';
import { TimerWheel } from '../../gateway/kernel/timer-wheel.ts';
import { Topic } from '../../gateway/kernel/topic.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { BufferRoom } from '../../gateway/pipeline/buffer-room.ts';
import { Exchange } from '../../gateway/pipeline/exchange.ts';
import { Generation } from '../../gateway/pipeline/generation.ts';
import type { HeaderList } from '../../gateway/pipeline/headers.ts';
import type { BodyEnd } from '../../gateway/pipeline/reply.ts';
import { RunningExchanges } from '../../gateway/pipeline/running.ts';
import type { TryFact } from '../../gateway/pipeline/try-fact.ts';
import { requestPath, routePath } from '../../gateway/request-path.ts';
import type { BackendSettings, RouteSettings } from '../../gateway/settings/settings.ts';
import { Copies } from '../../gateway/stages/mirror.ts';
import type { Reachable } from '../../gateway/upstream/transport.ts';
import { UndiciTransport } from '../../gateway/upstream/undici-transport.ts';
import { smallCache } from './caching/settings.ts';
import { defaultRules } from './gates.ts';
import { type Script, SimulatedReplica } from './simulated-replica.ts';
import { type SimulatedProtocol, simulatedRequest } from './simulated-request.ts';

export interface SimulatedBackend {
  readonly name: string;
  /** open-inference unless said otherwise. */
  readonly protocol?: SimulatedProtocol;
  readonly replicas: readonly {
    readonly id: string;
    /** As the gateway knows them. */
    readonly slots?: number;
    /** What it works on at once; without end unless said otherwise. */
    readonly worksOn?: number;
    readonly script: (requestNumber: number) => Script;
  }[];
  readonly policy?: BalancingName;
  /** The name by which its replicas know the model that clients call like the backend. */
  readonly upstreamModel?: string | null;
  readonly queue?: { readonly maxLength: number; readonly waitMs: number };
  readonly timeouts?: Partial<TryTimeouts>;
  /** What is otherwise for streams. */
  readonly streamTimeouts?: Partial<TryTimeouts>;
  readonly breaker?: Partial<BackendSettings['breaker']>;
  readonly retry?: Partial<BackendSettings['retry']>;
  readonly hedge?: BackendSettings['hedge'];
  readonly holdsFirstChunk?: boolean;
}

interface Options {
  readonly seed: number;
  readonly backends: readonly SimulatedBackend[];
  readonly routes?: readonly RouteSettings[];
  readonly limits?: { readonly maxBodyBytes: number; readonly maxBufferedBytes: number };
  /** Of the wheel; 10 as in the gateway unless said otherwise. A simulated hour is quick with a coarse one. */
  readonly tickMs?: number;
}

/** One client's request. */
export interface Call {
  readonly model?: string;
  /** For a stream of an openai backend. */
  readonly isStreaming?: boolean;
  readonly body?: Uint8Array;
  /** The body comes in only after this long. */
  readonly uploadMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The client allows this long from receipt, as `x-request-timeout-ms` says. */
  readonly deadlineMs?: number;
  /** The client goes away after this long. */
  readonly leavesAfterMs?: number;
  /** The client takes this long for each piece of the answer. */
  readonly readMs?: number;
}

/** What a client saw. */
export interface Answer {
  readonly exchange: Exchange;
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Buffer;
  readonly end: BodyEnd | 'refused';
  readonly error: GatewayError | null;
}

/** As the configuration has them where it says nothing, but that nothing starts slowly. */
export const defaultBreaker: BackendSettings['breaker'] = { ...defaultRules, slowStartMs: 0 };
const defaultRetry: BackendSettings['retry'] = { maxTries: 3, budgetShare: 0.2, floorPerSecond: 3, isIdempotent: true };
const defaultTimeouts: TryTimeouts = { connectMs: 1_000, firstByteMs: 30_000, idleMs: 30_000, totalMs: 120_000 };

/** The real request path on the virtual clock, from the exchange down to undici's handler; only sockets are simulated. */
export class Simulation {
  readonly clock = new VirtualClock();
  readonly wheel: TimerWheel;
  readonly rng: Rng;
  readonly backends: Backend[] = [];
  readonly replicas = new Map<string, SimulatedReplica>();
  readonly settled: Exchange[] = [];
  readonly tried: TryFact[] = [];
  readonly running: RunningExchanges;
  /** Where bodies of requests are held. */
  readonly room: BufferRoom;
  readonly cache: AssembledCache;
  readonly #generation: Generation;
  /** Must stay 0. */
  secondReleases = 0;

  constructor({ seed, backends, routes = [], tickMs = 10, ...more }: Options) {
    const { limits = { maxBodyBytes: 1 << 20, maxBufferedBytes: 1 << 24 } } = more;
    this.wheel = new TimerWheel(this.clock, tickMs);
    this.rng = seededRng(seed);
    const board = new LoadBoard();
    for (const backend of backends) this.backends.push(this.#build(backend, board));
    const connect = ({ fullName }: Reachable): SimulatedReplica => this.replicaOf(fullName);
    const transport = new UndiciTransport({ clock: this.clock, wheel: this.wheel, connect });
    for (const replica of this.backends.flatMap(({ replicas }) => replicas)) transport.hold(replica, 1000);
    const parts = { clock: this.clock, wheel: this.wheel, rng: this.rng };
    const settled = new Topic<Exchange>();
    const tried = new Topic<TryFact>();
    settled.subscribe((exchange) => this.settled.push(exchange));
    tried.subscribe((fact) => this.tried.push(fact));
    this.room = new BufferRoom(limits.maxBufferedBytes);
    const copies = new Copies(this.room);
    this.cache = assembleCache(smallCache, { clock: this.clock, rng: this.rng, room: this.room });
    const table = assembleRoutes({ routes }, this.backends, (route) =>
      routePath(route, { ...parts, ...this.cache, transport, tried, copies }),
    );
    this.#generation = new Generation({ routes: table, backends: this.backends, onGone: () => {} });
    const serve = requestPath({
      settled,
      limits: { maxBodyBytes: limits.maxBodyBytes, room: this.room },
      clock: this.clock,
      rng: this.rng,
    });
    this.running = new RunningExchanges(serve, settled);
  }

  /** By `backend/id`. */
  replicaOf(fullName: string): SimulatedReplica {
    const found = this.replicas.get(fullName);
    if (found === undefined) throw new Error(`there is no replica ${fullName}`);
    return found;
  }

  /** Sends one request now; resolves when the client has its answer or has left. */
  async call(call: Call = {}): Promise<Answer> {
    const exchange = this.open(call);
    const { leavesAfterMs } = call;
    if (leavesAfterMs !== undefined) {
      this.clock.after(leavesAfterMs, () => exchange.cancellation.cancel(new GatewayError('client_left', 'left')));
    }
    try {
      const reply = await this.running.serve(exchange);
      const pieces: Uint8Array[] = [];
      const end = await new Promise<BodyEnd>((resolve) => {
        reply.body.pump({
          chunk(bytes) {
            pieces.push(bytes);
            return call.readMs === undefined;
          },
          onDrain: (go) => this.clock.after(call.readMs ?? 0, go),
          end: resolve,
        });
      });
      return { exchange, status: reply.status, headers: reply.headers, body: Buffer.concat(pieces), end, error: null };
    } catch (thrown) {
      const error = asGatewayError(thrown);
      return { exchange, status: error.status, headers: [], body: Buffer.alloc(0), end: 'refused', error };
    }
  }

  /** What is still held when nothing should be: empty when all is well. */
  leftovers(): string[] {
    const found: string[] = [];
    for (const backend of this.backends) {
      for (const { fullName, slot } of backend.replicas)
        if (slot.inFlight !== 0) found.push(`${fullName} has ${slot.inFlight} in flight`);
      if (backend.dispatcher.waitingCount !== 0)
        found.push(`${backend.name} has ${backend.dispatcher.waitingCount} waiting`);
    }
    if (this.wheel.armedCount !== 0) found.push(`${this.wheel.armedCount} alarms are armed`);
    if (this.#generation.underWay !== 0) found.push(`${this.#generation.underWay} exchanges are under way`);
    if (this.running.count !== 0) found.push(`${this.running.count} exchanges are running`);
    if (this.secondReleases !== 0) found.push(`${this.secondReleases} leases were released twice`);
    return found;
  }

  /** The exchange of one request that comes now, for tests that answer it themselves. */
  open({ model, isStreaming = false, uploadMs = 0, headers = {}, ...more }: Call): Exchange {
    const [first] = this.backends;
    const asked = model ?? first?.name ?? '';
    // A model that nobody serves is asked for as the others are.
    const { protocol: spoken } = this.backends.find((one) => one.name === asked) ?? first ?? {};
    const name = spoken === 'openai' ? 'openai' : 'open-inference';
    const { protocol, head, body } = simulatedRequest(name, { model: asked, isStreaming, headers });
    const sent = more.body ?? body;
    const exchange = new Exchange({
      id: `r${this.settled.length}-${this.running.count}`,
      receivedAtMs: this.clock.nowMs(),
      generation: this.#generation,
      protocol,
      head,
      incoming: { read: (maxBytes, reserve) => this.#upload(exchange, sent, uploadMs, maxBytes, reserve) },
      wheel: this.wheel,
    });
    if (more.deadlineMs !== undefined) exchange.cutTo(exchange.receivedAtMs + more.deadlineMs);
    return exchange;
  }

  #build(
    { name, protocol = 'open-inference', replicas, upstreamModel = null, queue, ...more }: SimulatedBackend,
    board: LoadBoard,
  ): Backend {
    const { policy = 'least-outstanding', timeouts, streamTimeouts } = more;
    const parts = { clock: this.clock, wheel: this.wheel, rng: this.rng };
    const breaker = { ...defaultBreaker, ...more.breaker };
    const fleet = new Fleet();
    const { signal, newPolicy } = balancings[policy];
    const live = replicas.map(({ id, slots = null, worksOn, script }) => {
      const address = {
        origin: `http://${id}`,
        basePath: '',
        socketPath: null,
        headers: {},
        tls: { caPem: null, serverName: null },
      };
      const gate = new TrafficGate({ rules: breaker, ...parts });
      gate.obey(breaker, fleet);
      const state = new ReplicaState({ slot: board.takeSlot(), gate, ...parts });
      state.slowStartMs = breaker.slowStartMs;
      const replica = new Replica({
        id,
        backendName: name,
        address,
        weight: 1,
        slots,
        signal,
        state,
      });
      replica.state.setStanding('ready', 'simulated');
      this.replicas.set(replica.fullName, new SimulatedReplica(this.clock, script, worksOn));
      return replica;
    });
    const dispatcher = new Dispatcher({
      backendName: name,
      replicas: live,
      policy: newPolicy(this.rng),
      policyName: policy,
      decisions: unwatched,
      line: new WaitingLine(),
      queue: queue ?? { maxLength: 1000, waitMs: 10_000 },
      clock: this.clock,
      wheel: this.wheel,
      onSecondRelease: () => {
        this.secondReleases += 1;
      },
    });
    const models = [{ name, upstream: upstreamModel }];
    return {
      name,
      protocol,
      models,
      replicas: live,
      dispatcher,
      timeouts: { ...defaultTimeouts, ...timeouts },
      streamTimeouts: { ...defaultTimeouts, ...timeouts, ...streamTimeouts },
      wantsReports: true,
      affinity: null,
      retrying: assembleRetrying({ ...defaultRetry, ...more.retry }, this.clock),
      hedging: more.hedge === undefined || more.hedge === null ? null : assembleHedging(more.hedge, this.clock),
      holdsFirstChunk: more.holdsFirstChunk ?? false,
      revisions: untold,
    };
  }

  async #upload(
    exchange: Exchange,
    body: Uint8Array,
    uploadMs: number,
    maxBytes: number,
    reserve: (sizeBytes: number) => void,
  ): Promise<Uint8Array> {
    if (body.length > maxBytes) throw new GatewayError('body_too_large', 'too large');
    reserve(body.length);
    if (uploadMs > 0) await this.clock.sleep(uploadMs);
    exchange.cancellation.throwIfCancelled();
    return body;
  }
}
