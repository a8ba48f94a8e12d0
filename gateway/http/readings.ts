import type { Hono } from 'hono';
import type { GatewayError } from '../kernel/errors.ts';
import type { Endpoint, Protocol } from '../pipeline/protocol.ts';
import { modelNotFound, type Routes } from '../pipeline/route.ts';
import { modelEndpoints, openInference } from '../protocols/open-inference.ts';
import { openai } from '../protocols/openai.ts';
import { plainHttp, plainRequest, plainUpload } from '../protocols/plain-http.ts';
import { decoded, rawPathOf } from '../protocols/raw-path.ts';
import { behindModels, modelInPath, modelStatus, tfServing } from '../protocols/tf-serving.ts';
import type { Connection } from './connection.ts';
import { hasBody, type NodeContext } from './open-exchange.ts';
import { type Directory, describeModel, type OwnAnswer, ownAnswers } from './own-answers.ts';

/** Who reads a request, and as what. */
export interface Reading {
  readonly protocol: Protocol;
  readonly endpoint: Endpoint;
  /** The parameters of the endpoint's pattern, decoded. */
  readonly params: Readonly<Record<string, string>>;
}

/** What is done with a request, by who answers it. */
export interface Handlers {
  read(context: NodeContext, reading: Reading): Response;
  /** The gateway answers it without any replica. */
  own(context: NodeContext, answer: OwnAnswer): Response;
  /** It asks for a model that nobody serves. */
  unknown(context: NodeContext, refusal: GatewayError): Response;
  /** Nothing is at its path, or not for its method. */
  none(context: NodeContext): Response;
}

interface Parts {
  readonly protocols: readonly Protocol[];
  readonly directory: Directory;
}

type App = Hono<{ Bindings: Connection }>;
type Handler = (context: NodeContext) => Response;

/** Decides for every request who reads it: by its path and method, and where plain HTTP is configured, first by the routes' paths. */
export function mountReadings(app: App, { protocols, directory }: Parts, handlers: Handlers): void {
  const plainOr = (protocol: string | null, otherwise: Handler): Handler => {
    return (context) =>
      directory.routes().isPlain(context.req.path, protocol)
        ? handlers.read(context, plainReading(context))
        : otherwise(context);
  };
  for (const { path, protocol, answer } of ownAnswers(directory)) {
    app.get(
      path,
      plainOr(protocol, (context) => handlers.own(context, answer)),
    );
  }
  app.get(modelStatus.pattern, (context) => {
    const asked = askedModel(context, directory.routes());
    return plainOr(asked.protocol ?? openai.name, () => readModelPath(context, asked, directory, handlers))(context);
  });
  for (const protocol of protocols) {
    for (const endpoint of protocol.endpoints) {
      app.on(
        endpoint.method,
        endpoint.pattern,
        plainOr(protocol.name, (context) =>
          handlers.read(context, { protocol, endpoint, params: context.req.param() }),
        ),
      );
    }
  }
  app.notFound(plainOr(null, handlers.none));
}

/** The methods that something answers at a path; RFC 9110 section 15.5.6 has a 405 say them. */
export function methodsAt(path: string, { protocols, directory }: Parts): string[] {
  const own = ownAnswers(directory).map((one) => ({ method: 'GET', pattern: one.path }));
  const there = [...own, ...protocols.flatMap((one) => one.endpoints)].filter(({ pattern }) => isPathOf(pattern, path));
  return [...new Set(there.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))];
}

/** Whether a path fits a pattern whose parameters are each one segment. One that takes whatever follows knows of no single path. */
function isPathOf(pattern: string, path: string): boolean {
  const wanted = pattern.split('/');
  const given = path.split('/');
  return (
    wanted.length === given.length &&
    wanted.every((part, at) => (part.startsWith(':') ? given[at] !== '' : part === given[at]))
  );
}

function plainReading({ req }: NodeContext): Reading {
  const isUpload = hasBody(req.header('content-length'), req.header('transfer-encoding'));
  return { protocol: plainHttp, endpoint: isUpload ? plainUpload : plainRequest, params: {} };
}

interface AskedModel {
  readonly model: string;
  /** That of whoever serves it; null where nobody does. */
  readonly protocol: string | null;
}

/** The model that a path below /v1/models asks about. */
function askedModel(context: NodeContext, routes: Routes): AskedModel {
  const rawPath = rawPathOf(context.req.url);
  const model = decoded(behindModels(rawPath));
  const protocol = routes.protocolOf(model);
  // In TF Serving something may stand behind the name.
  const isServing = protocol === null && routes.protocolOf(modelInPath(rawPath)) === tfServing.name;
  return { model, protocol: isServing ? tfServing.name : protocol };
}

/** A path below /v1/models is meant for whoever serves the model in it, and answered in that one's shape. */
function readModelPath(
  context: NodeContext,
  { model, protocol }: AskedModel,
  directory: Directory,
  handlers: Handlers,
): Response {
  if (protocol === openai.name) return handlers.own(context, () => describeModel(model, directory));
  if (protocol === tfServing.name)
    return handlers.read(context, { protocol: tfServing, endpoint: modelStatus, params: {} });
  const metadata = modelEndpoints.find(({ operation }) => operation === 'metadata');
  if (protocol === openInference.name && metadata !== undefined)
    return handlers.read(context, { protocol: openInference, endpoint: metadata, params: { model } });
  return handlers.unknown(context, modelNotFound(model, directory.routes().modelNames(null)));
}
