import { type AnswerReader, StreamedAnswers, WholeAnswers } from './answer-reader.ts';
import { chatEvents, chatPath } from './chat-stream.ts';

/** What clients ask of a peer, and what its cost is divided by. */
export interface Workload {
  readonly unit: 'request' | 'streamed chunk';
  readonly connections: number;
  request(port: number): Buffer;
  newReader(): AnswerReader;
}

/** A digit as JSON, about 300 bytes, answered whole: as many a second as the peer manages. */
export const digits: Workload = {
  unit: 'request',
  connections: 32,
  request(port) {
    const data = Array.from({ length: 64 }, (_, at) => (at * 7) % 17);
    return asPost(port, '/v2/models/digits/infer', {
      inputs: [{ name: 'image', shape: [1, 64], datatype: 'FP32', data }],
    });
  },
  newReader: () => new WholeAnswers(),
};

/** Chats, streamed at the backend's pace: as many chunks a second from every peer. */
export const chats: Workload = {
  unit: 'streamed chunk',
  connections: 128,
  request(port) {
    const messages = [{ role: 'user', content: 'What is a headgate?' }];
    return asPost(port, chatPath, { model: 'chat', messages, stream: true, stream_options: { include_usage: true } });
  },
  newReader: () => new StreamedAnswers(chatEvents.length),
};

function asPost(port: number, path: string, content: object): Buffer {
  const body = JSON.stringify(content);
  const head = [
    `POST ${path} HTTP/1.1`,
    `host: 127.0.0.1:${port}`,
    'user-agent: headgate-bench',
    'accept: */*',
    'content-type: application/json',
    `content-length: ${body.length}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}
