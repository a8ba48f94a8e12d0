import proxy from '@fastify/http-proxy';
import fastify from 'fastify';

// @fastify/http-proxy as its README has it; undici keeps its connections.
const [port, backendPort] = process.argv.slice(2).map(Number);
const server = fastify({ logger: false });
server.register(proxy, { upstream: `http://127.0.0.1:${backendPort}`, undici: { connections: 8192, pipelining: 1 } });
await server.listen({ port, host: '127.0.0.1' });
process.send?.('ready');
