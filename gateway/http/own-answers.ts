import type { Routes } from '../pipeline/route.ts';

/** What the gateway knows of the models behind it, for the questions it answers itself. */
export interface Directory {
  routes(): Routes;
  /** Whether every backend of a protocol has a replica that can take requests. */
  isReady(protocol: string): boolean;
  readonly version: string;
  /** In seconds since 1970. */
  readonly startedAtSeconds: number;
}

interface Answer {
  readonly status: 200 | 503;
  readonly value: object;
}

/** An answer the gateway gives itself. */
export type OwnAnswer = () => Answer;

/** Where the gateway answers itself, in the words of a protocol. */
interface OwnPath {
  readonly path: string;
  readonly protocol: string;
  readonly answer: OwnAnswer;
}

/** The endpoints that are about the server rather than a model: the gateway is the server its clients see. */
export function ownAnswers(directory: Directory): OwnPath[] {
  return [
    ...Object.entries(openInferenceAnswers(directory)).map(([path, answer]) => ({
      path,
      protocol: 'open-inference',
      answer,
    })),
    { path: '/v1/models', protocol: 'openai', answer: () => listModels(directory) },
  ];
}

function openInferenceAnswers(directory: Directory): Record<string, OwnAnswer> {
  const server: OwnAnswer = () => ({
    status: 200,
    value: {
      name: 'headgate',
      version: directory.version,
      extensions: ['binary_tensor_data'],
    },
  });
  return {
    '/v2': server,
    '/v2/': server,
    '/v2/health/live': () => ({ status: 200, value: { live: true } }),
    '/v2/health/ready': () => {
      const isReady = directory.isReady('open-inference');
      return { status: isReady ? 200 : 503, value: { ready: isReady } };
    },
    '/v2/models': () => ({ status: 200, value: { models: directory.routes().modelNames('open-inference') } }),
  };
}

/** The models of all backends as the OpenAI API lists them. Patterns are left out: they are the names of no model. */
function listModels(directory: Directory): Answer {
  const names = directory.routes().modelNames(null);
  const data = names.filter((name) => !name.includes('*')).map((name) => modelObject(name, directory));
  return { status: 200, value: { object: 'list', data } };
}

/** One model as the OpenAI API describes it. */
export function describeModel(name: string, directory: Directory): Answer {
  return { status: 200, value: modelObject(name, directory) };
}

function modelObject(id: string, { startedAtSeconds: created }: Directory): object {
  return { id, object: 'model', created, owned_by: 'headgate' };
}
