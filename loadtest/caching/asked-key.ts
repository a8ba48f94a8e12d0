import pino from 'pino';
import { type AssembledPath, assemblePath } from '../../gateway/assemble-path.ts';
import { type CacheKey, cacheKey } from '../../gateway/cache/key.ts';
import type { Clock } from '../../gateway/kernel/clock.ts';
import { seededRng } from '../../gateway/kernel/rng.ts';
import { TimerWheel } from '../../gateway/kernel/timer-wheel.ts';
import { Exchange } from '../../gateway/pipeline/exchange.ts';
import { drawBackend } from '../../gateway/routing/draw.ts';
import { upstreamModelOf } from '../../gateway/routing/route-table.ts';
import { parseSettings } from '../../gateway/settings/load.ts';
import { anonymous } from '../../gateway/stages/identify.ts';
import { UndiciTransport } from '../../gateway/upstream/undici-transport.ts';
import { readingOf } from '../simulate/reading.ts';

const configuration = `
backends:
  - { name: models, protocol: openai, models: ["*"], replicas: [{ url: "http://127.0.0.1:1" }] }
`;

const sharing = { revision: '', isForEveryone: false };
const rng = seededRng(0);

/** A gateway that has got as far as the key of a request: its protocol has read it, its route is known, and nothing is sent. */
export class AskedKey {
  readonly #clock: Clock;
  readonly #wheel: TimerWheel;
  readonly #path: AssembledPath;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#wheel = new TimerWheel(clock);
    this.#path = assemblePath(parseSettings(configuration, 'caching.yaml', {}), {
      clock,
      wheel: this.#wheel,
      rng,
      transport: new UndiciTransport({ clock, wheel: this.#wheel, connect: unused }),
      log: pino({ level: 'silent' }),
      newSocketPath: unused,
      workerCommand: [''],
      bundledModels: '',
    });
  }

  /** The key of a request, or null where it has none: asked again, it may be answered otherwise. */
  of(path: string, body: Buffer): CacheKey | null {
    const exchange = this.#routed(path, body);
    const identity = exchange.protocol.identity(exchange.head, body);
    return identity?.isDeterministic ? cacheKey(exchange, identity, sharing) : null;
  }

  /** As the stages below `route` meet it. */
  #routed(path: string, body: Buffer): Exchange {
    const { generation } = this.#path.generations.current;
    const headers = { 'content-type': 'application/json' };
    const { protocol, endpoint, params } = readingOf({ method: 'POST', path, headers, body }, generation.routes);
    if (endpoint === null) throw new Error(`nothing is at ${path}`);
    const exchange = new Exchange({
      id: 'replayed',
      receivedAtMs: this.#clock.nowMs(),
      generation,
      protocol,
      head: { method: 'POST', path, rawPath: path, query: '', params, endpoint, headers },
      incoming: { read: unused },
      wheel: this.#wheel,
    });
    exchange.tenant = anonymous;
    exchange.ask = { ...protocol.read(exchange.head, body), payload: body, content: body };
    const { model } = exchange.ask;
    const route = generation.routes.find({ protocol: protocol.name, model, tenant: anonymous, path, headers });
    if (route === null) throw new Error(`no route for ${model}`);
    const backend = drawBackend(route, rng);
    exchange.choice = { route, backend, upstreamModel: upstreamModelOf(backend, model) };
    return exchange;
  }
}

function unused(): never {
  throw new Error('nothing is sent');
}
