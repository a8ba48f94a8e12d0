import { type RunningGateway, type Scope, startGateway } from './gateway-process.ts';
import { okAnswer, RawBackend } from './raw-backend.ts';

/** A gateway in front of one raw backend, which serves the model `m`. */
export interface EdgeGateway extends RunningGateway {
  readonly backend: RawBackend;
}

/** Starts both; the backend answers every request with `done` until its script is replaced. More of the configuration may be given: whole top-level keys. */
export async function startEdgeGateway(scope: Scope, more = ''): Promise<EdgeGateway> {
  const backend = await RawBackend.start(scope, ({ socket }) => socket.write(okAnswer('done')));
  const pool = `{ name: pool, protocol: open-inference, models: [m], replicas: [{ id: a, url: "${backend.url}" }] }`;
  const telemetry = /^telemetry:/m.test(more) ? '' : 'telemetry: { log: warn }\n';
  const gateway = await startGateway(scope, `backends: [${pool}]\n${telemetry}${more}`);
  return { ...gateway, backend };
}
