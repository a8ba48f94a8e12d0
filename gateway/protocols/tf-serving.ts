import { isDeepStrictEqual } from 'node:util';
import { GatewayError } from '../kernel/errors.ts';
import { lightWork } from '../pipeline/ask.ts';
import type { Endpoint, Protocol } from '../pipeline/protocol.ts';
import { bareError } from './bare-error.ts';
import { identityOfJson } from './identity.ts';
import { countElements, findMember } from './json-skim.ts';
import { decoded, refuseDotSegments } from './raw-path.ts';

/** What stands behind a model's name, the name being whatever is left. */
const suffix =
  /^(?<model>.+?)(?<version>\/(?:versions|labels)\/[^/:]+)?(?<verb>:(?:predict|classify|regress|explain)|\/metadata)?$/;

const prefix = '/v1/models/';

/** Reads a model's state or its signatures. The client port finds out itself which GET below /v1/models is meant for this protocol. */
export const modelStatus: Endpoint = {
  operation: 'status',
  method: 'GET',
  pattern: `${prefix}*`,
  hasBody: false,
  isAboutModel: true,
};

/** What a path below /v1/models ends with, as it was sent; letters before it may have come encoded. */
export function behindModels(rawPath: string): string {
  return /^(?:\/[^/]*){2}\/(.*)$/.exec(rawPath)?.[1] ?? '';
}

/** The model that a path below /v1/models names in this protocol. */
export function modelInPath(rawPath: string): string {
  return parse(rawPath).model;
}

/** TF Serving's REST API, which is also KServe V1: `POST /v1/models/M[/versions/V|/labels/L]:predict`. */
export const tfServing: Protocol = {
  name: 'tf-serving',
  endpoints: [{ operation: 'predict', method: 'POST', pattern: `${prefix}*`, hasBody: true }],
  read({ rawPath, endpoint }, content) {
    refuseDotSegments(rawPath);
    const parsed = parse(rawPath);
    const { model, verb } = parsed;
    // What is encoded in the name must not become something else when it is written for a replica.
    const isSame = isDeepStrictEqual(parse(pathOf(parsed, model)), parsed);
    if (isSame && endpoint.hasBody === verb.startsWith(':'))
      return {
        model,
        isStreaming: false,
        work: endpoint.hasBody ? { ...lightWork, rows: rowsOf(content) } : lightWork,
      };
    const message = `path: got ${rawPath}, wanted ${prefix}MODEL:predict, :classify, :regress or :explain`;
    throw new GatewayError('invalid_request', message, { field: 'path' });
  },
  identity({ endpoint, rawPath }, content) {
    if (!endpoint.hasBody) return null;
    // Explanations are sampled.
    const isDeterministic = parse(rawPath).verb !== ':explain';
    return identityOfJson({ json: content, without: [], isDeterministic });
  },
  isRepeatable: () => true,
  write({ head, ask }, upstreamModel) {
    return {
      method: head.method,
      path: pathOf(parse(head.rawPath), upstreamModel) + head.query,
      body: head.endpoint.hasBody ? ask.payload : null,
      without: [],
    };
  },
  // Answers name no model.
  translate: (reply) => reply,
  render: (reply) => reply,
  refuse: bareError,
  breakStream: () => null,
};

interface Parsed {
  readonly model: string;
  /** As they stand in the path. */
  readonly version: string;
  readonly verb: string;
}

function pathOf({ version, verb }: Parsed, model: string): string {
  return prefix + model.split('/').map(encodeURIComponent).join('/') + version + verb;
}

function parse(rawPath: string): Parsed {
  const { model = '', version = '', verb = '' } = suffix.exec(behindModels(rawPath))?.groups ?? {};
  return { model: decoded(model), version, verb };
}

/** Of the row form; the column form counts as one. */
function rowsOf(content: Uint8Array): number {
  const at = findMember(content, 0, 'instances');
  return at < 0 ? 1 : countElements(content, at) || 1;
}
