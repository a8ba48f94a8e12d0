import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { pause, type Scope } from './gateway-process.ts';

const program = `
const server = require('node:http').createServer((request, response) => response.setHeader('connection', 'close').end('{}'));
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port));
`;

/** A backend that is well until it is frozen: from then on its port takes no connection and refuses none, as one behind a firewall that drops. */
export interface FrozenBackend {
  readonly url: string;
  freeze(): Promise<void>;
}

/** Starts it as a process of its own; killed when the test ends. */
export async function frozenBackend(scope: Scope): Promise<FrozenBackend> {
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const fillers: { destroy(): void }[] = [];
  scope.after(() => {
    for (const filler of fillers) filler.destroy();
    child.kill('SIGKILL');
  });
  const port = await new Promise<number>((resolve) => child.stdout.once('data', (text) => resolve(Number(text))));
  return {
    url: `http://127.0.0.1:${port}`,
    async freeze() {
      child.kill('SIGSTOP');
      // The system still takes as many as may wait to be accepted.
      let taken = 0;
      for (let n = 0; n < 8; n++) {
        const filler = connect(port, '127.0.0.1').on('error', () => {});
        filler.on('connect', () => {
          taken += 1;
        });
        fillers.push(filler);
      }
      await pause(200);
      if (taken === 8) throw new Error('the port still takes connections');
    },
  };
}
