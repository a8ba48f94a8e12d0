import { lightWork } from '../pipeline/ask.ts';
import type { Endpoint, Protocol } from '../pipeline/protocol.ts';
import { bareError } from './bare-error.ts';
import { refuseDotSegments } from './raw-path.ts';

/** A request of any method, without a body. Nothing is mounted for it: a route's path says what is plain HTTP. */
export const plainRequest: Endpoint = { operation: 'request', method: 'GET', pattern: '*', hasBody: false };

/** The same with a body. */
export const plainUpload: Endpoint = { ...plainRequest, method: 'POST', hasBody: true };

/** Anything that speaks HTTP: nothing is read, nothing changed. Only a route on a path leads to it. */
export const plainHttp: Protocol = {
  name: 'http',
  endpoints: [],
  read({ rawPath }) {
    refuseDotSegments(rawPath);
    return { model: '', isStreaming: false, work: lightWork };
  },
  // What is plain HTTP says nothing of itself: only a route can say that it answers the same again.
  identity: ({ method }, content) =>
    method === 'GET' || method === 'POST'
      ? { json: null, without: [], raw: [content], framing: [], isDeterministic: false }
      : null,
  isRepeatable: () => true,
  write: ({ head, ask }) => ({
    method: head.method,
    path: head.rawPath + head.query,
    body: head.endpoint.hasBody ? ask.payload : null,
    without: [],
  }),
  translate: (reply) => reply,
  render: (reply) => reply,
  refuse: bareError,
  breakStream: () => null,
};
