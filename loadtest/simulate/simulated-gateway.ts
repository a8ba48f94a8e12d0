import pino from 'pino';
import { type AssembledPath, assemblePath } from '../../gateway/assemble-path.ts';
import type { Clock } from '../../gateway/kernel/clock.ts';
import { GatewayError } from '../../gateway/kernel/errors.ts';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { TimerWheel } from '../../gateway/kernel/timer-wheel.ts';
import { Exchange, type Incoming } from '../../gateway/pipeline/exchange.ts';
import type { Reply } from '../../gateway/pipeline/reply.ts';
import type { Settings } from '../../gateway/settings/settings.ts';
import { type Connections, UndiciTransport } from '../../gateway/upstream/undici-transport.ts';
import type { Request } from '../model-server/asked.ts';
import type { Answerer, Asking } from './answerer.ts';
import type { Flow } from './flow.ts';
import { FlowSink, refusalOf } from './flow-sink.ts';
import { readingOf } from './reading.ts';

interface Parts {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly seed: number;
  /** The connections to the replica at an origin. */
  readonly connect: (origin: string) => Connections;
}

/** How long the replicas are given to show whether they are ready. */
const patienceMs = 10_000;

/** A gateway on the virtual clock: the real one from the exchange down to undici's handlers, without its ports. */
export class SimulatedGateway implements Answerer {
  readonly #clock: Clock;
  readonly #wheel: TimerWheel;
  readonly #transport: UndiciTransport;
  readonly #path: AssembledPath;
  #exchanges = 0;

  constructor({ settings, clock, seed, connect }: Parts) {
    this.#clock = clock;
    this.#wheel = new TimerWheel(clock);
    this.#transport = new UndiciTransport({
      clock,
      wheel: this.#wheel,
      connect: ({ address }) => connect(address.origin),
    });
    // On this clock there is no Redis, nor another gateway.
    this.#path = assemblePath(
      { ...settings, cache: { ...settings.cache, redis: null } },
      {
        clock,
        wheel: this.#wheel,
        rng: seededRng(seed),
        transport: this.#transport,
        log: pino({ level: 'silent' }),
        newSocketPath() {
          throw new Error('bundled workers are no part of a simulation');
        },
        workerCommand: [''],
        bundledModels: '',
      },
    );
  }

  /** Begins to check its replicas; resolves when they have shown whether they are ready. */
  async start(): Promise<void> {
    this.#path.generations.start();
    await this.#path.generations.settle(patienceMs);
  }

  ask(request: Request, flow: Flow): Asking {
    const exchange = this.#open(request);
    void this.#answer(exchange, flow);
    return {
      leave: () =>
        exchange.cancellation.cancel(new GatewayError('client_left', 'the client left before it was answered')),
    };
  }

  async close(): Promise<void> {
    await this.#path.generations.close();
    await this.#path.cache.close();
    await this.#transport.close();
    this.#wheel.close();
  }

  /** As the client port opens it; what is at no endpoint is refused in the same way. */
  #open(request: Request): Exchange {
    const { generation } = this.#path.generations.current;
    const { protocol, endpoint, params } = readingOf(request, generation.routes);
    const { method, path, headers } = request;
    const head = {
      method,
      path: readable(path),
      rawPath: path,
      query: '',
      params,
      endpoint: endpoint ?? noEndpoint,
      headers,
    };
    this.#exchanges += 1;
    const exchange = new Exchange({
      id: `simulated-${this.#exchanges}`,
      receivedAtMs: this.#clock.nowMs(),
      generation,
      protocol,
      head,
      incoming: wholeBody(request.body),
      wheel: this.#wheel,
    });
    const limitMs = Number(headers['x-request-timeout-ms'] ?? Number.NaN);
    if (limitMs > 0) exchange.cutTo(exchange.receivedAtMs + limitMs);
    if (endpoint === null)
      exchange.cancellation.cancel(new GatewayError('not_found', `there is nothing at ${method} ${path}`));
    return exchange;
  }

  async #answer(exchange: Exchange, flow: Flow): Promise<void> {
    const reply: Reply = await this.#path.running.serve(exchange).catch((thrown) => refusalOf(thrown, exchange));
    if (flow.isOver) reply.body.discard();
    else reply.body.pump(new FlowSink(reply, exchange, flow, this.#clock));
  }
}

const noEndpoint = { operation: 'none', method: 'GET', pattern: '*', hasBody: false } as const;

/** A path with what is encoded in it decoded, but for delimiters; one that cannot be as it stands. */
function readable(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}

/** A body that is here already: clients send theirs at once. */
function wholeBody(body: Buffer): Incoming {
  return {
    async read(maxBytes, reserve) {
      if (body.length > maxBytes)
        throw new GatewayError('body_too_large', `the body is over ${maxBytes} bytes (listen.max_body)`);
      reserve(body.length);
      return body;
    },
  };
}
