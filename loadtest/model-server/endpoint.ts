import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AnswerHeaders, type Asked, headerOf } from './asked.ts';
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
export function timingHeaders(server: SimulatedServer, request: IncomingMessage, timing: Timing): AnswerHeaders {
  return {
    'x-simulated-arrived-ms': timing.arrivedAtMs,
    'x-simulated-wait-ms': timing.waitMs,
    'x-simulated-service-ms': timing.serviceMs,
    ...reportHeaders(server, request, timing.serviceMs),
  };
}

/** The load report, where one is wanted. */
export function reportHeaders(
  server: SimulatedServer,
  request: IncomingMessage,
  serviceMs: number | null,
): AnswerHeaders {
  const wanted = headerOf(request, 'endpoint-load-metrics-format');
  const report = loadReportHeader(server.settings.tells, { load: server.engine.load(), serviceMs, wanted });
  return report === null ? {} : { 'endpoint-load-metrics': report };
}

/** Tells the engine when a client goes before its answer is complete; not one that has been emptied meanwhile. */
export function whenLeft<Own extends Engine>(
  server: SimulatedServer<Own>,
  response: ServerResponse,
  leave: (engine: Own, nowMs: number) => void,
): void {
  const { engine } = server;
  response.once('close', () => {
    if (response.writableFinished || server.engine !== engine) return;
    leave(engine, server.nowMs);
    server.rearm();
  });
}
