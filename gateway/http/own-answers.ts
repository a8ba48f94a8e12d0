/** What the gateway knows of the models behind it, for the questions it answers itself. */
export interface Directory {
  /** The models of a protocol, as clients say them. */
  modelNames(protocol: string): readonly string[];
  /** Whether every backend of a protocol has a replica that can take requests. */
  isReady(protocol: string): boolean;
  readonly version: string;
}

interface Answer {
  readonly status: 200 | 503;
  readonly value: object;
}

/** The Open Inference endpoints that are about the server rather than a model: the gateway is the server its clients see. */
export function ownAnswers(directory: Directory): Record<string, () => Answer> {
  const server = (): Answer => ({
    status: 200,
    value: {
      name: 'headgate',
      version: directory.version,
      extensions: ['binary_tensor_data'],
    },
  });
  const ready = (): Answer => {
    const isReady = directory.isReady('open-inference');
    return { status: isReady ? 200 : 503, value: { ready: isReady } };
  };
  return {
    '/v2': server,
    '/v2/': server,
    '/v2/health/live': () => ({ status: 200, value: { live: true } }),
    '/v2/health/ready': ready,
    '/v2/models': () => ({ status: 200, value: { models: directory.modelNames('open-inference') } }),
  };
}
