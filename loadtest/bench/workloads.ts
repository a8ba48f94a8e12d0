import { type AnswerReader, StreamedAnswers, WholeAnswers } from './answer-reader.ts';
import { chatEvents, chatPath, paceField, type ticksOfPace } from './chat-stream.ts';
import type { Peer } from './peer.ts';

/** What clients ask of a peer, and what its cost is divided by. */
export interface Workload {
  readonly unit: 'request' | 'streamed chunk';
  readonly connections: number;
  /** Gives each request that a peer is sent, one after the other. */
  requests(peer: Peer): () => Buffer;
  newReader(): AnswerReader;
}

/** A digit as JSON, about 300 bytes, answered whole: as many a second as the peer manages. */
export const digits: Workload = {
  unit: 'request',
  connections: 32,
  requests: (peer) => always(digitOf(peer)),
  newReader: () => new WholeAnswers(),
};

/** Chats, streamed at the backend's pace: as many chunks a second from every peer. */
export const chats: Workload = {
  unit: 'streamed chunk',
  connections: 128,
  requests: (peer) => always(streamOf(peer, 'fast')),
  newReader: () => new StreamedAnswers(chatEvents.length),
};

/** One such digit; a chat where a peer knows nothing else. */
export function digitOf(peer: Peer): Buffer {
  if (peer.isChatOnly) return asPost(peer, chatPath, { model: 'chat', messages: longMessages });
  const data = Array.from({ length: 64 }, (_, at) => (at * 7) % 17);
  const inputs = [{ name: 'image', shape: [1, 64], datatype: 'FP32', data }];
  return asPost(peer, '/v2/models/digits/infer', { inputs });
}

/** One such chat; a slow one at the pace of people who read, which is how many can be held at once. */
export function streamOf(peer: Peer, pace: keyof typeof ticksOfPace): Buffer {
  const options = { stream: true, stream_options: { include_usage: true } };
  return asPost(peer, chatPath, { model: 'chat', messages, ...options, user: paceField(pace) });
}

const messages = [{ role: 'user', content: 'What is a headgate?' }];
const longMessages = [{ role: 'user', content: 'What is a headgate? '.repeat(10) }];

function always(request: Buffer): () => Buffer {
  return () => request;
}

/** A request as it goes over the wire. */
export function asPost({ port, headers }: Peer, path: string, content: object): Buffer {
  const body = JSON.stringify(content);
  const head = [
    `POST ${path} HTTP/1.1`,
    `host: 127.0.0.1:${port}`,
    'user-agent: headgate-bench',
    'accept: */*',
    'content-type: application/json',
    ...headers,
    `content-length: ${body.length}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}
