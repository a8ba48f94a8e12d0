import { type Answer, type AnswerHeaders, type Asked, headerOf, type Request } from './asked.ts';
import type { Engine } from './load.ts';
import { loadReportHeader } from './orca.ts';
import type { SimulatedServer } from './simulated-server.ts';

/** What is wrong with a request. */
export interface Wrong {
  readonly status: 400 | 404;
  readonly message: string;
}

/** A request of which the model is known. */
export interface Reading {
  readonly model: string;
  /** Takes it in, and answers it in time; null when it has. `full` where the line is. */
  start(): Wrong | 'full' | null;
}

/** What a kind of server does with the requests it computes for. */
export interface Endpoint {
  matches(path: string): boolean;
  /** Finds out which model is asked for. */
  read(asked: Asked): Reading | Wrong;
  /** An error in the shape of the protocol. */
  errorBody(status: number, message: string): object;
}

/** How long a request waited and was worked on, by the engine's own reckoning: without what timers and sockets add. */
export interface Timing {
  readonly arrivedAtMs: number;
  readonly waitMs: number;
  readonly serviceMs: number;
}

/** What every answer says of its request's time, so that a harness can check it against queueing theory, and of the server's load. */
export function timingHeaders(server: SimulatedServer, request: Request, timing: Timing): AnswerHeaders {
  return {
    'x-simulated-arrived-ms': timing.arrivedAtMs,
    'x-simulated-wait-ms': timing.waitMs,
    'x-simulated-service-ms': timing.serviceMs,
    ...reportHeaders(server, request, timing.serviceMs),
  };
}

/** Where every answer says which server it is from. */
export const nameHeader = 'x-simulated-server';

/** What every answer says of its server: its name, and its load where that is wanted. */
export function reportHeaders(server: SimulatedServer, request: Request, serviceMs: number | null): AnswerHeaders {
  const { name, tells } = server.settings;
  const wanted = headerOf(request, 'endpoint-load-metrics-format');
  const report = loadReportHeader(tells, { load: server.engine.load(), serviceMs, wanted });
  return { [nameHeader]: name, ...(report === null ? {} : { 'endpoint-load-metrics': report }) };
}

/** Tells the engine when a client goes before its answer is complete; not one that has been emptied meanwhile. */
export function whenLost<Own extends Engine>(
  server: SimulatedServer<Own>,
  answer: Answer,
  leave: (engine: Own, nowMs: number) => void,
): void {
  const { engine } = server;
  answer.onLost(() => {
    if (server.engine !== engine) return;
    leave(engine, server.nowMs);
    server.rearm();
  });
}
