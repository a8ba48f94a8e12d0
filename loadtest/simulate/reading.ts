import type { Endpoint, Protocol } from '../../gateway/pipeline/protocol.ts';
import type { Routes } from '../../gateway/pipeline/route.ts';
import { openInference } from '../../gateway/protocols/open-inference.ts';
import { openai } from '../../gateway/protocols/openai.ts';
import { plainHttp, plainUpload } from '../../gateway/protocols/plain-http.ts';
import { decoded } from '../../gateway/protocols/raw-path.ts';
import type { Request } from '../model-server/asked.ts';

/** Who reads a request, and as what. */
export interface Reading {
  readonly protocol: Protocol;
  /** Null where its path and method belong to none. */
  readonly endpoint: Endpoint | null;
  readonly params: Readonly<Record<string, string>>;
}

/** What scenarios can speak. */
const spoken = [openInference, openai];

/** Decides who reads a request of a load test, as the client port does: by its path and method, and where a route says so, as plain HTTP. */
export function readingOf({ method, path }: Request, routes: Routes): Reading {
  for (const protocol of spoken)
    for (const endpoint of protocol.endpoints) {
      const params = endpoint.method === method ? paramsIn(path, endpoint.pattern) : null;
      if (params === null) continue;
      return routes.isPlain(path, protocol.name) ? plain : { protocol, endpoint, params };
    }
  return routes.isPlain(path, null) ? plain : { protocol: openai, endpoint: null, params: {} };
}

const plain: Reading = { protocol: plainHttp, endpoint: plainUpload, params: {} };

/** The parameters of a path that fits a pattern; null for one that does not. */
function paramsIn(path: string, pattern: string): Record<string, string> | null {
  const wanted = pattern.split('/');
  const given = path.split('/');
  const isOpen = wanted.at(-1) === '*';
  if (isOpen ? given.length < wanted.length : given.length !== wanted.length) return null;
  const params: Record<string, string> = {};
  for (const [at, part] of wanted.entries()) {
    const there = given[at] ?? '';
    if (part.startsWith(':') && there !== '') params[part.slice(1)] = decoded(there);
    else if (part !== there && part !== '*') return null;
  }
  return params;
}
