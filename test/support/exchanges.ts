import { TimerWheel } from '../../gateway/kernel/timer-wheel.ts';
import { VirtualClock } from '../../gateway/kernel/virtual-clock.ts';
import { Exchange, type Incoming } from '../../gateway/pipeline/exchange.ts';
import { Generation } from '../../gateway/pipeline/generation.ts';
import type { Headers } from '../../gateway/pipeline/headers.ts';
import type { Endpoint } from '../../gateway/pipeline/protocol.ts';
import type { Routes } from '../../gateway/pipeline/route.ts';
import { openInference } from '../../gateway/protocols/open-inference.ts';

/** What a test says of an exchange: an inference on the model `digits` received at 0 unless said otherwise. */
export interface ExchangeSpec {
  readonly clock?: VirtualClock;
  readonly wheel?: TimerWheel;
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

const noRoutes: Routes = { find: () => null, modelNames: () => [] };

/** A configuration of which only the routes matter. */
export function newGeneration({ routes = noRoutes, onGone = () => {} }: { routes?: Routes; onGone?: () => void } = {}) {
  return new Generation({ routes, backends: [], onGone });
}

/** An exchange as the client port opens it. */
export function newExchange(spec: ExchangeSpec = {}): Exchange {
  const { clock = new VirtualClock(), operation = 'infer', model = 'digits', version, query = '', headers = {} } = spec;
  const endpoint = endpointOf(operation, version !== undefined);
  const params: Record<string, string> = version === undefined ? { model } : { model, version };
  const path = endpoint.pattern.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  return new Exchange({
    id: 'r1',
    receivedAtMs: clock.nowMs(),
    generation: spec.generation ?? newGeneration(),
    protocol: openInference,
    head: { method: endpoint.method, path, query, params, endpoint, headers },
    incoming: spec.incoming ?? wholeBody(Buffer.from(spec.body ?? '')),
    wheel: spec.wheel ?? new TimerWheel(clock),
  });
}

/** One whose body has been read: as the stages below `read` meet it. */
export function readExchange(spec: ExchangeSpec = {}): Exchange {
  const exchange = newExchange(spec);
  const payload = Buffer.from(spec.body ?? '');
  exchange.tenant = 'anonymous';
  exchange.ask = { ...exchange.protocol.read(exchange.head, payload), payload };
  return exchange;
}

function endpointOf(operation: string, hasVersion: boolean): Endpoint {
  const found = openInference.endpoints.find(
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
