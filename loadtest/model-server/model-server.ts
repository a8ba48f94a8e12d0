import type { Clock } from '../../gateway/kernel/clock.ts';
import type { Endpoint } from './endpoint.ts';
import { inferEndpoint } from './infer-endpoint.ts';
import { openAiEndpoint } from './openai-endpoint.ts';
import type { ServerSettings } from './settings.ts';
import { llmServer, type SimulatedServer, tensorServer } from './simulated-server.ts';

/** A simulated server and what it can be asked. */
export interface ModelServer {
  readonly server: SimulatedServer;
  readonly endpoint: Endpoint;
}

/** A simulated server of either kind on a clock. */
export function modelServerOf(settings: ServerSettings, clock: Clock, seed: number): ModelServer {
  if (settings.kind === 'tensor') {
    const server = tensorServer(settings, clock, seed);
    return { server, endpoint: inferEndpoint(server, settings.columns) };
  }
  const server = llmServer(settings, clock, seed);
  return { server, endpoint: openAiEndpoint(server, settings) };
}
