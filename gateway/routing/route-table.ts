import type { Backend } from '../balance/backend.ts';
import type { Destination, Route, Routes, Subject } from '../pipeline/route.ts';
import { matchesPattern } from './pattern.ts';

/** What a request must look like; an absent part accepts anything. All patterns may hold `*` for any characters. */
export interface Match {
  readonly model: string | null;
  readonly tenant: string | null;
  readonly path: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** A route with what it matches and the protocol its backends speak. */
export interface Rule {
  readonly match: Match;
  readonly protocol: string;
  readonly route: Route;
}

/** The protocol that only a route's path leads to. */
const plain = 'http';

/** All routes in order. The first that matches wins. */
export class RouteTable implements Routes {
  readonly #rules: readonly Rule[];
  readonly #hasPlain: boolean;

  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
    this.#hasPlain = rules.some((rule) => rule.protocol === plain);
  }

  find(subject: Subject): Route | null {
    for (const { match, protocol, route } of this.#rules) {
      if (protocol === subject.protocol && mismatchOf(match, subject) === null) return route;
    }
    return null;
  }

  /** Every rule up to the one that wins, with the part of it that the request does not fit; for people who ask why. */
  explain(subject: Subject): { readonly route: Route; readonly mismatch: string | null }[] {
    const steps = this.#rules.map(({ match, protocol, route }) => ({
      route,
      mismatch: protocol === subject.protocol ? mismatchOf(match, subject) : 'protocol',
    }));
    const wonAt = steps.findIndex((step) => step.mismatch === null);
    return wonAt < 0 ? steps : steps.slice(0, wonAt + 1);
  }

  /** The names of all models of a protocol, as clients say them, sorted. What a 404 tells. */
  modelNames(protocol: string | null): string[] {
    const rules = protocol === null ? this.#rules : this.#rules.filter((rule) => rule.protocol === protocol);
    return [...new Set(rules.flatMap(namesOf))].sort();
  }

  protocolOf(model: string): string | null {
    const rule = this.#rules.find((one) => namesOf(one).some((name) => matchesPattern(name, model)));
    return rule?.protocol ?? null;
  }

  /** Whether some request may be answered by a backend: one that only gets copies of requests answers none. */
  answersBy(backend: Backend): boolean {
    return this.#rules.some(
      ({ route: { destinations, fallbacks } }) =>
        fallbacks.includes(backend) || destinations.some((one) => one.backend === backend),
    );
  }

  isPlain(path: string, protocol: string | null): boolean {
    if (!this.#hasPlain) return false;
    const first = this.#rules.find(
      (rule) =>
        (rule.protocol === plain || rule.protocol === protocol) &&
        (rule.match.path === null || matchesPattern(rule.match.path, path)),
    );
    return first?.protocol === plain;
  }
}

function namesOf({ match, route }: Rule): string[] {
  if (match.model !== null) return [match.model];
  return route.destinations.flatMap(({ backend }) => backend.models.map((model) => model.name));
}

/** The name by which a backend's replicas know a model: the first of its models that fits, else the name as asked. */
export function upstreamModelOf({ models }: Destination['backend'], model: string): string {
  for (const { name, upstream } of models) if (matchesPattern(name, model)) return upstream ?? model;
  return model;
}

/** The part of a match that a request does not fit, or null when it fits all. */
function mismatchOf(match: Match, subject: Subject): string | null {
  if (match.model !== null && !matchesPattern(match.model, subject.model)) return 'model';
  if (match.tenant !== null && !matchesPattern(match.tenant, subject.tenant)) return 'tenant';
  if (match.path !== null && !matchesPattern(match.path, subject.path)) return 'path';
  for (const name in match.headers) {
    if (!anyFits(match.headers[name] ?? '', subject.headers[name])) return name;
  }
  return null;
}

/** Whether a header is there and one of its lines fits. */
function anyFits(pattern: string, lines: string | readonly string[] | undefined): boolean {
  if (typeof lines === 'string') return matchesPattern(pattern, lines);
  return lines?.some((line) => matchesPattern(pattern, line)) ?? false;
}
