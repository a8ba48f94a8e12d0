import { createServer } from 'node:http';
import { textAnswer } from './text-answer.ts';

// The least a server in Node can do that has an answer in memory: take a request in and give it. What a hit costs is measured against it.

const headers = ['content-type', 'application/json', 'content-length', String(textAnswer.length)];

createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
  request.on('data', () => {});
  request.on('end', () => {
    response.writeHead(200, headers);
    response.end(textAnswer);
  });
}).listen(Number(process.argv[2]), '127.0.0.1', () => process.send?.('ready'));
