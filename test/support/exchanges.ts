import { TimerWheel } from '../../gateway/kernel/timer-wheel.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { Exchange, type Incoming } from '../../gateway/pipeline/exchange.ts';
import { Generation } from '../../gateway/pipeline/generation.ts';
import type { Headers } from '../../gateway/pipeline/headers.ts';
import type { Endpoint, Protocol } from '../../gateway/pipeline/protocol.ts';
import type { Routes } from '../../gateway/pipeline/route.ts';
import { openInference } from '../../gateway/protocols/open-inference.ts';

/** What a test says of an exchange: an inference on the model `digits` received at 0 unless said otherwise. */
export interface ExchangeSpec {
  readonly clock?: VirtualClock;
  readonly wheel?: TimerWheel;
  readonly protocol?: Protocol;
  /** Stands in the place of the protocol's for the operation. */
  readonly endpoint?: Endpoint;
  /** As it was sent; where none is given, the endpoint's pattern with the model, and the version if any, in it. */
  readonly path?: string;
  readonly operation?: string;
  readonly model?: string;
  readonly query?: string;
  readonly version?: string;
  readonly headers?: Headers;
  readonly body?: Uint8Array | string;
  /** Stands in the place of a body that comes at once. */
  readonly incoming?: Incoming;
  /** One without routes unless said otherwise. */
  readonly generation?: Generation;
}

const noRoutes: Routes = { find: () => null, modelNames: () => [], protocolOf: () => null, isPlain: () => false };

/** A configuration of which only the routes matter. */
export function newGeneration({ routes = noRoutes, onGone = () => {} }: { routes?: Routes; onGone?: () => void } = {}) {
  return new Generation({ routes, backends: [], onGone });
}

/** An exchange as the client port opens it. */
export function newExchange(spec: ExchangeSpec = {}): Exchange {
  const { clock = new VirtualClock(), operation = 'infer', model = 'digits', version, query = '', headers = {} } = spec;
  const { protocol = openInference, endpoint = endpointOf(protocol, operation, version !== undefined) } = spec;
  const params: Record<string, string> = version === undefined ? { model } : { model, version };
  const filled = endpoint.pattern.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  const { path = filled } = spec;
  return new Exchange({
    id: 'r1',
    receivedAtMs: clock.nowMs(),
    generation: spec.generation ?? newGeneration(),
    protocol,
    head: { method: endpoint.method, path, rawPath: path, query, params, endpoint, headers },
    incoming: spec.incoming ?? wholeBody(Buffer.from(spec.body ?? '')),
    wheel: spec.wheel ?? new TimerWheel(clock),
  });
}

/** One whose body has been read: as the stages below `read` meet it. */
export function readExchange(spec: ExchangeSpec = {}): Exchange {
  const exchange = newExchange(spec);
  const payload = Buffer.from(spec.body ?? '');
  exchange.tenant = 'anonymous';
  exchange.ask = { ...exchange.protocol.read(exchange.head, payload), payload, content: payload };
  return exchange;
}

function endpointOf(protocol: Protocol, operation: string, hasVersion: boolean): Endpoint {
  const found = protocol.endpoints.find(
    (one) => one.operation === operation && one.pattern.includes(':version') === hasVersion,
  );
  if (found === undefined) throw new Error(`the protocol has no ${operation}`);
  return found;
}

function wholeBody(bytes: Uint8Array): Incoming {
  return {
    async read(_maxBytes, reserve) {
      reserve(bytes.length);
      return bytes;
    },
  };
}
