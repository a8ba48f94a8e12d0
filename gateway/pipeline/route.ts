import type { Backend } from '../balance/backend.ts';
import { GatewayError } from '../kernel/errors.ts';
import type { Headers } from './headers.ts';
import type { RouteSharing } from './sharing.ts';
import type { Serve } from './stage.ts';

/** One of the backends a route sends to. */
export interface Destination {
  readonly backend: Backend;
  readonly weight: number;
}

/** Who gets copies of requests, and of how many. */
export interface Mirror {
  readonly backend: Backend;
  readonly share: number;
}

/** A rule that says where requests go. Built from the settings once; a request holds on to the one it matched, so that a reload never changes rules under it. */
export interface Route {
  /** Names it in logs, metrics and the dry run: `routes[0]`, or the backend's name where no route was written. */
  readonly name: string;
  readonly destinations: readonly [Destination, ...Destination[]];
  /** Where a request goes, in this order, that the backend drawn for it cannot serve. */
  readonly fallbacks: readonly Backend[];
  /** A backend that gets copies of some requests, whose answers nobody gets; null for none. */
  readonly mirror: Mirror | null;
  /** Null where every request gets an answer of its own. */
  readonly sharing: RouteSharing | null;
  /** From receipt; null for none. */
  readonly deadlineMs: number | null;
  /** The stages below routing, composed for this route: those that have nothing to do for it are not in. */
  readonly serve: Serve;
}

/** The part of a request that routing looks at. */
export interface Subject {
  readonly protocol: string;
  readonly model: string;
  readonly tenant: string;
  readonly path: string;
  readonly headers: Headers;
}

/** Where requests can go. */
export interface Routes {
  /** The route of a request, or null where there is none for it. */
  find(subject: Subject): Route | null;
  /** The names of all models of a protocol, or of every one (null), as clients say them; patterns among them. */
  modelNames(protocol: string | null): readonly string[];
  /** The protocol of the backends that serve a model, or null where none does. */
  protocolOf(model: string): string | null;
  /** Whether plain HTTP is spoken at a path: the first rule whose path fits says so, of its rules and those of the protocol that knows the path (null for none). */
  isPlain(path: string, protocol: string | null): boolean;
}

/** What a client is told that asks for a model nobody serves. */
export function modelNotFound(model: string, known: readonly string[]): GatewayError {
  const list = known.length === 0 ? 'no models' : known.join(', ');
  return new GatewayError('model_not_found', `model ${JSON.stringify(model)} is not known here; there are: ${list}`, {
    field: 'model',
  });
}

/** What routing decided for one request. */
export interface Choice {
  readonly route: Route;
  /** Drawn from the route's destinations; later one of its fallbacks, where those before cannot serve it. */
  readonly backend: Backend;
  /** The model as the backend's replicas know it. */
  readonly upstreamModel: string;
}
